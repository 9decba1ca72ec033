{{- define "info.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "info.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "info.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "info.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "info.selector" -}}
app.kubernetes.io/name: {{ include "info.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "info.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "info.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "info.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "info.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "info.fullname" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "info.graceSeconds" -}}
{{- $needed := add .Values.drain.preStopSeconds .Values.drain.delaySeconds .Values.drain.seconds 2 | int -}}
{{- $given := .Values.terminationGracePeriodSeconds | int -}}
{{- if and $given (lt $given $needed) -}}
{{- fail (printf "terminationGracePeriodSeconds: %d is too short; expected %d at least: the sum of drain.preStopSeconds, drain.delaySeconds, drain.seconds and 2" $given $needed) -}}
{{- end -}}
{{- $given | default (add $needed 3) -}}
{{- end }}

{{- define "info.managementPort" -}}
{{- if .Values.management.enabled }}management{{ else }}http{{ end }}
{{- end }}

{{- define "info.podSecurity" -}}
runAsNonRoot: {{ .Values.security.runAsNonRoot }}
{{- if not (kindIs "invalid" .Values.security.runAsUser) }}
runAsUser: {{ .Values.security.runAsUser | int64 }}
{{- end }}
seccompProfile:
  type: {{ .Values.security.seccompProfile }}
{{- end }}

{{- define "info.containerSecurity" -}}
{{- if .Values.security.privileged }}
privileged: true
{{- else }}
allowPrivilegeEscalation: {{ .Values.security.allowPrivilegeEscalation }}
{{- end }}
readOnlyRootFilesystem: {{ .Values.security.readOnlyRootFilesystem }}
capabilities:
  {{- if not .Values.security.keepDefaultCapabilities }}
  drop: [ALL]
  {{- end }}
  {{- with .Values.security.addCapabilities }}
  add: {{ toJson . }}
  {{- end }}
{{- end }}
