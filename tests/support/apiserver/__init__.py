"""A small Kubernetes API server for tests, whose pods are processes of this machine.

``python -m apiserver FOLDER`` runs it until SIGTERM and writes ``FOLDER/kubeconfig``. The Dask operator and all clients
speak to it as to any other server: objects with versions, watches and owners, custom kinds with their schemas, port
forwarding and logs. Each server has its own part of the loopback network, so that several run side by side; that takes
Linux, where all of 127.0.0.0/8 is the machine's own.

What it leaves out: rights, nodes, images, limits, namespaces other than by name, and the ReplicaSet between Deployment
and pods. A pod has one container, and ``emptyDir`` volumes and volume claims are where they are on this machine.
"""
