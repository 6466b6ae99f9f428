import type { ValueField } from './values.ts';

/** The chart's README: what a reader does, and the table of its values. */
export function chartReadme(fields: readonly ValueField[]): string {
  return `<!-- Generated from values.yaml by "make generate" (scripts/chart/readme.ts); a test compares the two. -->

# The chart \`capstan\`

The operator of Capstan: it turns each \`Anchor\` resource into a running Stellar anchor.

\`\`\`
helm install capstan helm/capstan --namespace capstan --create-namespace --set image.repository=YOUR-REGISTRY/capstan
kubectl apply -f examples/anchors/testnet.yaml
kubectl get anchors
helm test capstan --namespace capstan --logs   # is the operator ready, does the API server serve Anchors?
\`\`\`

## What it installs

| Object                                | Why                                                                                                                                          |
| ------------------------------------- | -------------------------------------------------------------------------------------------------------------------------------------------- |
| CustomResourceDefinition              | \`Anchor\`. Upgraded with the release, kept by \`helm uninstall\` (\`crds.keep\`), so that no Anchor goes by accident                             |
| Deployment, PodDisruptionBudget       | two copies, one leads; under the \`restricted\` Pod Security Standard                                                                          |
| ClusterRole, or Roles with \`namespaces\` | exactly what the operator does: a test compares them with the audit log of a real API server                                               |
| Role for the Lease                    | the one Lease by its name                                                                                                                    |
| ClusterRoles \`…-anchor-viewer/-editor\` | Anchors for those who have the cluster's \`view\`, \`edit\` and \`admin\` roles                                                                |
| ClusterRole \`…-anchor-support\`, ValidatingAdmissionPolicies | with \`supportRole.create\`: for people who use \`kubectl anchor\` and are not to read Secrets (docs/kubectl-plugin.md)    |
| NetworkPolicy                         | in: Prometheus, \`helm test\`; out: DNS, the API server, the private status of Anchors                                                                      |
| Service, ServiceMonitor, PrometheusRule, dashboard | the last three with \`monitoring\`; each alert has a page in docs/runbooks                                                      |

## What to know

- **Secrets.** The operator reads the metadata of Secrets only, but RBAC cannot say so: who holds its token could list Secrets of the namespaces it
  acts upon. Where that is too much, list \`namespaces\` and keep nothing else in them.
- **Pods.** The operator may list and patch pods: it changes an annotation of a watcher's pods when payments are suspended, so that the kubelet
  writes that into their file at once. Who may patch Deployments, as it must, could do no less without that right.
- **Some namespaces only.** \`namespaces: [harbor, quay]\` makes Roles there and no ClusterRole. Installing the CRD takes rights on the cluster: let an
  administrator apply crds/anchors.capstan.dev.yaml and set \`crds.install: false\`. Whether cert-manager and the like are there is then asked each minute.
- **Two releases** must not act upon the same Anchors: give each its own \`namespaces\`.
- **Uninstall.** Anchors, and what they run, go on; nobody looks after them until the operator is back. To install again under another name, give helm
  \`--take-ownership\`. The pod of the last \`helm test\`, whose log \`--logs\` reads, stays:
  \`kubectl delete pod capstan-test --namespace capstan\`.
- **An address range for the API server** (\`networkPolicy.apiServerCidrs\`) makes the policy tight; without it any address is open at its ports.

## Values

| Value | Default | What it is |
| ----- | ------- | ---------- |
${fields.map(row).join('\n')}
`;
}

function row({ path, description, value, isGroup }: ValueField): string {
  const name = path.join('.');
  if (isGroup) return `| **\`${name}\`** | | ${escaped(description)} |`;
  return `| \`${name}\` | \`${escaped(JSON.stringify(value))}\` | ${escaped(description)} |`;
}

const escaped = (text: string): string => text.replaceAll('|', '\\|');
