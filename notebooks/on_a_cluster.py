# %% [markdown]
# # A run on a cluster
#
# slidecloud computes on Dask. This notebook starts a cluster of processes on this machine; on Kubernetes the same code runs
# with `slidecloud.cluster.kubernetes(...)` in place of `slidecloud.cluster.local(...)`, or with
# `slidecloud.cluster.connect("tcp://scheduler:8786")` on a cluster you have.
#
# First a burst stack to work on, simulated.

# %%
from slidecloud import simulate
from slidecloud.pipeline.ingest import ingest
from slidecloud.stack import ArraySource

scene = simulate.scene(3, shape=(128, 128), dates=30, id="valley")
made = simulate.interferograms(scene)
source = ArraySource(scene.header, made.pairs, made.phase, made.coherence, made.unwrapped, scene.static())
print(*ingest(source, "cluster/stacks").lines(), sep="\n")

# %% [markdown]
# ## One YAML describes a run
#
# `slidecloud run --print-config` shows every key with its meaning. An unknown key is an error that names the nearest known
# one.

# %%
from pathlib import Path

from slidecloud.config import load

Path("cluster/region.yaml").write_text("""\
run: ./run.zarr
stacks: ./stacks
bursts: [valley]
stages: [gradients, timeseries]
timeseries: {where: everywhere}
""")
config = load("cluster/region.yaml")

# %%
# !slidecloud estimate cluster/region.yaml

# %% [markdown]
# ## Launch, submit, follow
#
# The driver keeps a few units in flight and each unit writes its results and then its done-record, so any process may be
# killed at any time.

# %%
from slidecloud import cluster
from slidecloud.pipeline import executors
from slidecloud.pipeline.run import run as compute

with cluster.local(2) as client:
    print(f"{len(client.scheduler_info()['workers'])} workers; client.dashboard_link shows them at work")
    summary = compute(config, executor=executors.dask(client))
print(*summary.lines(), sep="\n")

# %% [markdown]
# A second run of the same configuration finds everything done:

# %%
print(*compute(config, executor=executors.serial()).lines(), sep="\n")

# %%
# !slidecloud status cluster/run.zarr

# %% [markdown]
# ## On Kubernetes
#
# With the Dask operator installed (`helm install slidecloud helm/slidecloud`) and stores in a bucket, the client may leave
# once the run is submitted: a pod drives it.
#
# ```bash
# slidecloud submit region.yaml --image registry.example/slidecloud:0.1.0
# slidecloud status s3://bucket/runs/region.zarr --follow
# slidecloud logs s3://bucket/runs/region.zarr --of worker --follow
# ```
#
# What it will take is said before anything runs, for several sizes of cluster:

# %%
# !slidecloud estimate cluster/region.yaml --workers 2 8 32
