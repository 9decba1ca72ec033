{{- define "info.name" -}}
{{- default .Chart.Name .Values.nameOverride }}
{{- end }}

{{- /* The name of a Service as well: a label of at most 63 letters with room for a suffix. */}}
{{- define "info.fullname" -}}
{{- $name := printf "%s-%s" .Release.Name (include "info.name" .) -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if contains (include "info.name" .) .Release.Name -}}
{{- $name = .Release.Name -}}
{{- end -}}
{{- $name = $name | replace "." "-" | trunc 50 | trimAll "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- fail (printf "the release's name %q begins with a digit, as a Service's name must not; expected another, or fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{- define "info.selector" -}}
app.kubernetes.io/name: {{ include "info.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
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

{{- /* list $ LABELS: the chart's labels with others, which win over commonLabels. */}}
{{- define "info.labelsWith" -}}
{{- $labels := include "info.labels" (first .) | fromYaml -}}
{{- toYaml (merge (dict) (last .) $labels) -}}
{{- end }}

{{- /* A setting as text: 1048576 of a values file is a float, whose text Go writes as 1.048576e+06. */}}
{{- define "info.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ toJson . | quote }}{{ end }}
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
{{- if and (eq (toString .Values.security.hostUsers) "false") (or .Values.security.hostNetwork .Values.security.hostPID) -}}
{{- fail "security.hostUsers: false together with hostNetwork or hostPID, which a pod with users of its own cannot have; expected one of them" -}}
{{- end -}}
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
