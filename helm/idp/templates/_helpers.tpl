{{- define "idp.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains "idp" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (default "idp" .Values.nameOverride) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "idp.selector" -}}
app.kubernetes.io/name: {{ default "idp" .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "idp.labels" -}}
{{ include "idp.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "idp.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "idp.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "idp.claimName" -}}
{{- default (printf "%s-data" (include "idp.fullname" .)) .Values.database.sqlite.existingClaim -}}
{{- end -}}

{{/* A value in TOML. toToml would write whole numbers as floats. */}}
{{- define "idp.toml" -}}
{{- if kindIs "map" . -}}
{ {{ range $i, $key := keys . | sortAlpha }}{{ if $i }}, {{ end }}{{ $key }} = {{ include "idp.toml" (get $ $key) }}{{ end }} }
{{- else if kindIs "slice" . -}}
[{{ range $i, $item := . }}{{ if $i }}, {{ end }}{{ include "idp.toml" $item }}{{ end }}]
{{- else -}}
{{- toJson . -}}
{{- end -}}
{{- end -}}

{{/* The settings file; secrets come from files of their own. */}}
{{- define "idp.config" -}}
{{- $own := dict "realm" (dict "issuer" .Values.issuer) -}}
{{- $config := mergeOverwrite (deepCopy .Values.config) $own -}}
{{- range $section := keys $config | sortAlpha }}
[{{ $section }}]
{{- $keys := get $config $section }}
{{- range $key := keys $keys | sortAlpha }}
{{ $key }} = {{ include "idp.toml" (get $keys $key) }}
{{- end }}
{{ end -}}
{{- end -}}

{{/* What the server and the migration have in common. */}}
{{- define "idp.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  - name: IDP_SECRETS__ENCRYPTION_KEY_FILE
    value: /run/secrets/idp/encryption-key
  {{- if .Values.encryptionKey.previousKey }}
  - name: IDP_SECRETS__PREVIOUS_ENCRYPTION_KEY_FILE
    value: /run/secrets/idp/previous-encryption-key
  {{- end }}
  {{- if eq .Values.database.type "postgres" }}
  - name: IDP_DATABASE__URL_FILE
    value: /run/secrets/idp/database-url
  {{- else }}
  - name: IDP_DATABASE__URL
    value: sqlite:///var/lib/idp/idp.db
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: config
    mountPath: /etc/idp
    readOnly: true
  - name: secrets
    mountPath: /run/secrets/idp
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- if eq .Values.database.type "sqlite" }}
  - name: data
    mountPath: /var/lib/idp
  {{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
{{- end -}}
