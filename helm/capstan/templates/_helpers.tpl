{{/* The name of every object: the release's, with "capstan" in it. */}}
{{- define "capstan.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-capstan" .Release.Name) (contains "capstan" .Release.Name) -}}
{{- $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "capstan.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "capstan.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{/* What selects the operator's pods; immutable in a Deployment. */}}
{{- define "capstan.selectorLabels" -}}
app.kubernetes.io/name: capstan-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of the pod of "helm test"; not the operator's, whose Services and policies must not take it for one. */}}
{{- define "capstan.testLabels" -}}
app.kubernetes.io/name: capstan-test
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "capstan.labels" -}}
{{ include "capstan.selectorLabels" . }}
app.kubernetes.io/part-of: capstan
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "capstan.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A peer of a NetworkPolicy from namespaceLabels and podLabels. */}}
{{- define "capstan.peer" -}}
- namespaceSelector:
    {{- if .namespaceLabels }}
    matchLabels: {{- toYaml .namespaceLabels | nindent 6 }}
    {{- else }} {}
    {{- end }}
  {{- with .podLabels }}
  podSelector:
    matchLabels: {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end -}}

{{/* The same as a flag of the operator: JSON, without podLabels where every pod is meant. */}}
{{- define "capstan.podsFlag" -}}
{{- $pods := dict "namespaceLabels" (.namespaceLabels | default dict) -}}
{{- if .podLabels }}{{ $_ := set $pods "podLabels" .podLabels }}{{ end -}}
{{- toJson $pods -}}
{{- end -}}
