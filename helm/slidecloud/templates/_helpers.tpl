{{/* Name of the chart's objects. */}}
{{- define "slidecloud.name" -}}
{{- default .Release.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* Labels of all objects. */}}
{{- define "slidecloud.labels" -}}
app.kubernetes.io/name: slidecloud
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Labels of the run of this release; the operator hands them on to everything it makes. */}}
{{- define "slidecloud.runLabels" -}}
app.kubernetes.io/name: slidecloud
slidecloud.org/run: {{ .Values.run.name }}
{{- end }}

{{/* The image of driver, scheduler and CPU workers. */}}
{{- define "slidecloud.image" -}}
{{- $repository := required "image.repository is empty; name the image built from deploy/Dockerfile" .Values.image.repository }}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{/* Account of the run's pods: the runner's, else one of the run's own. */}}
{{- define "slidecloud.account" -}}
{{- if .Values.runner.create }}{{ .Values.runner.name }}{{ else }}{{ .Values.run.name }}{{ end }}
{{- end }}

{{/* Pod fields that driver, scheduler and workers share. */}}
{{- define "slidecloud.pod" -}}
serviceAccountName: {{ include "slidecloud.account" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Container fields that they share. */}}
{{- define "slidecloud.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
{{- with .Values.secret }}
envFrom:
  - secretRef: {name: {{ . }}}
{{- end }}
{{- end }}

{{/* Environment that they share: whatever a library writes goes to the pod's own folder. */}}
{{- define "slidecloud.env" -}}
- {name: HOME, value: /tmp}
- {name: NUMBA_CACHE_DIR, value: /tmp/numba}
- {name: DASK_TEMPORARY_DIRECTORY, value: /tmp/dask}
- {name: OMP_NUM_THREADS, value: "1"}
- {name: OPENBLAS_NUM_THREADS, value: "1"}
- {name: MALLOC_MMAP_THRESHOLD_, value: "16777216"}
- {name: MALLOC_TRIM_THRESHOLD_, value: "67108864"}
- {name: MALLOC_ARENA_MAX, value: "2"}
- {name: DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH, value: "50"}
- {name: SLIDECLOUD_LOG_FORMAT, value: json}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "slidecloud.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if .Values.volume.claim }}
- {name: data, mountPath: {{ .Values.volume.path }}}
{{- end }}
{{- end }}

{{- define "slidecloud.volumes" -}}
- {name: tmp, emptyDir: {}}
{{- with .Values.volume.claim }}
- {name: data, persistentVolumeClaim: {claimName: {{ . }}}}
{{- end }}
{{- end }}

{{/* Never on a preemptible node: scheduler and driver. */}}
{{- define "slidecloud.onDemand" -}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms:
        - matchExpressions:
            {{- range $key, $value := .Values.preemptible.labels }}
            - {key: {{ $key }}, operator: NotIn, values: [{{ $value | quote }}]}
            {{- end }}
{{- end }}

{{/* Rather on a preemptible node: workers. */}}
{{- define "slidecloud.preemptible" -}}
affinity:
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      {{- range $key, $value := .Values.preemptible.labels }}
      - weight: 10
        preference:
          matchExpressions:
            - {key: {{ $key }}, operator: In, values: [{{ $value | quote }}]}
      {{- end }}
{{- end }}

{{/* A worker group: (dict "root" $ "gpu" bool). */}}
{{- define "slidecloud.worker" -}}
{{- $values := .root.Values }}
replicas: {{ if .gpu }}{{ $values.gpu.workers }}{{ else }}{{ $values.worker.minimum }}{{ end }}
spec:
  {{- include "slidecloud.pod" .root | nindent 2 }}
  {{- if $values.preemptible.enabled }}
  {{- include "slidecloud.preemptible" .root | nindent 2 }}
  {{- else }}
  {{- include "slidecloud.onDemand" .root | nindent 2 }}
  {{- end }}
  {{- if or .gpu (and $values.preemptible.enabled $values.preemptible.taints) }}
  tolerations:
    {{- if $values.preemptible.enabled }}
    {{- range $key, $value := $values.preemptible.taints }}
    - {key: {{ $key }}, operator: Equal, value: {{ $value | quote }}, effect: NoSchedule}
    {{- end }}
    {{- end }}
    {{- if .gpu }}
    - {key: {{ $values.gpu.resource }}, operator: Exists, effect: NoSchedule}
    {{- end }}
  {{- end }}
  {{- with $values.worker.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ add $values.worker.grace 20 }}
  volumes: {{- include "slidecloud.volumes" .root | nindent 4 }}
  containers:
    - name: worker
      image: {{ if and .gpu $values.gpu.image }}{{ $values.gpu.image }}{{ else }}{{ include "slidecloud.image" .root }}{{ end }}
      args:
        - dask
        - worker
        - --no-nanny
        - --name
        - $(DASK_WORKER_NAME)
        - --nthreads
        - {{ $values.worker.cores | quote }}
        - --memory-limit
        - {{ $values.worker.memoryBytes | int64 | quote }}
        - --death-timeout
        - "120"
        - --dashboard
        - --dashboard-address
        - "8788"
        - --preload
        - slidecloud.cluster.preload
        {{- if .gpu }}
        - --resources
        - GPU=1
        {{- end }}
      {{- include "slidecloud.container" .root | nindent 6 }}
      env:
        {{- include "slidecloud.env" .root | nindent 8 }}
        - {name: DASK_DISTRIBUTED__WORKER__MEMORY__TARGET, value: "False"}
        - {name: DASK_DISTRIBUTED__WORKER__MEMORY__SPILL, value: "False"}
        - {name: DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE, value: "False"}
        - {name: SLIDECLOUD_GRACE, value: {{ $values.worker.grace | quote }}}
      ports:
        - {name: http-dashboard, containerPort: 8788, protocol: TCP}
      resources:
        requests: {{- merge (dict) ($values.worker.resources.requests) (ternary (dict $values.gpu.resource "1") (dict) .gpu) | toYaml | nindent 10 }}
        limits: {{- merge (dict) ($values.worker.resources.limits) (ternary (dict $values.gpu.resource "1") (dict) .gpu) | toYaml | nindent 10 }}
      volumeMounts: {{- include "slidecloud.mounts" .root | nindent 8 }}
{{- end }}
