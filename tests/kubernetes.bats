#!/usr/bin/env bats
# The manifests of deploy/kubernetes: what kubectl makes of them fits the API's schema, and keeps
# the promises that the text makes. That the pods work is in container.bats.

load lib/quick

setup_file() {
    quick
    export SOURCE=$BATS_TEST_DIRNAME/.. MADE=$BATS_FILE_TMPDIR
    local name

    for name in sidecar node; do
        kubectl kustomize "$SOURCE/deploy/kubernetes/$name" >"$MADE/$name.yaml"
        /usr/bin/python3 -c '
import json, sys, yaml
print(json.dumps([d for d in yaml.safe_load_all(sys.stdin)]))' \
            <"$MADE/$name.yaml" >"$MADE/$name.json"
    done
}

setup() { quick; }

schema() { /usr/bin/python3 "$SOURCE/tests/lib/kubernetes_schema.py" "$@"; }

# holds NAME FILTER: the filter is true of the pod, which is $pod there, with all its $containers.
holds() {
    jq -e '(.[] | select(.kind == "Pod").spec, select(.kind == "DaemonSet").spec.template.spec) as $pod
        | ($pod.containers + ($pod.initContainers // [])) as $containers | '"$2" \
        "$MADE/$1.json" >/dev/null || {
        echo "$1: not so: $2"
        return 1
    }
}

# As above, of both.
hold() {
    holds sidecar "$1" && holds node "$1"
}

@test "the manifests fit the schema of the API, which finds what does not" {
    schema "$MADE/sidecar.yaml" "$MADE/node.yaml"
    cd "$BATS_TEST_TMPDIR"
    sed 's/readOnlyRootFilesystem/readOnlyRootFileSystem/' "$MADE/sidecar.yaml" >unknown
    sed 's/runAsUser: 1000/runAsUser: okera/' "$MADE/sidecar.yaml" >text
    sed 's/value: "5001"/value: 5001/' "$MADE/sidecar.yaml" >number
    sed 's/readOnly: true/readOnly: 1/' "$MADE/sidecar.yaml" >boolean
    sed 's/containerPort: 8080/protocol: TCP/' "$MADE/sidecar.yaml" >missing
    sed 's/kind: NetworkPolicy/kind: NetworkPolicies/' "$MADE/sidecar.yaml" >kind
    : >nothing
    run schema unknown text number boolean missing kind nothing
    echo "$output"
    [ "$status" -eq 1 ]
    [ "${#lines[@]}" -eq 7 ]
}

@test "nothing runs as root but what makes the folder on a node, with one capability" {
    holds sidecar '$pod.securityContext.runAsNonRoot'
    holds node 'all($pod.containers[]; .securityContext.runAsNonRoot)'
    holds node '$pod.securityContext.runAsUser != 0'
    hold '[$containers[] | select(.securityContext.runAsUser == 0)]
        == [$pod.initContainers // [] | .[] | select(.name == "directory")]'
    hold '[$containers[].securityContext.capabilities.add // [] | .[]] - ["CHOWN"] == []'
    holds sidecar '[$containers[].securityContext.capabilities.add // []] | add == []'
}

@test "no container can write its root file system, gain privileges or keep capabilities" {
    hold 'all($containers[]; .securityContext.readOnlyRootFilesystem)'
    hold 'all($containers[]; .securityContext.allowPrivilegeEscalation == false)'
    hold 'all($containers[]; .securityContext.capabilities.drop == ["ALL"])'
    hold 'all($containers[]; .securityContext.privileged | not)'
    hold '$pod.securityContext.seccompProfile.type == "RuntimeDefault"'
    hold '$pod.automountServiceAccountToken == false and $pod.enableServiceLinks == false'
    holds sidecar '$pod | has("hostNetwork") or has("hostPID") or has("hostIPC") | not'
}

@test "every container that stays has probes, and every one requests and limits" {
    hold 'all($pod.containers[]; has("livenessProbe") and has("readinessProbe"))'
    hold 'all($containers[]; .resources | (.requests | has("cpu") and has("memory")) and (.limits | has("cpu") and has("memory")))'
    # On loopback only a command can ask.
    hold 'all($pod.containers[] | select(.name == "authserver");
        .livenessProbe.exec.command == ["/usr/local/lib/authserver/probe", "healthy"] and
        .readinessProbe.exec.command == ["/usr/local/lib/authserver/probe", "ready"])'
    # authserver takes 25 seconds at most to end.
    hold '$pod.terminationGracePeriodSeconds > 25'
}

@test "Secrets are open to their owner, read-only, and not the application's" {
    hold 'all($pod.volumes[] | select(.secret); .secret.defaultMode == 256)'
    hold '[$pod.volumes[] | select(.secret).name] as $secret
        | all($containers[].volumeMounts[]; (.name | IN($secret[])) as $is | .readOnly or ($is | not))'
    holds sidecar '[$pod.volumes[] | select(.secret).name] as $secret
        | all($containers[] | select(.name != "authserver") | .volumeMounts[]; .name | IN($secret[]) | not)'
    # A file by subPath is never updated, and that would be no rotation.
    hold 'all($containers[].volumeMounts[]; has("subPath") | not)'
}

@test "tokens are in memory, with a limit, and the application cannot write there" {
    hold 'all($pod.volumes[] | select(.emptyDir); .emptyDir.medium == "Memory" and .emptyDir.sizeLimit)'
    holds sidecar 'all($containers[] | select(.name != "authserver") | .volumeMounts[] | select(.name == "tokens"); .readOnly)'
    holds sidecar '[$containers[].securityContext.runAsUser] | unique | length == 2'
}

@test "a password is asked for, and on a node nothing else is possible" {
    hold 'all($pod.containers[] | select(.name == "authserver"); .args | any(startswith("--users=")))'
    hold '[$containers[].args // [] | .[] | select(test("anonymous"))] == []'
}

@test "the NetworkPolicy is about the pod and goes both ways; the port of authserver is in no manifest" {
    jq -e '(.[] | select(.kind == "Pod").metadata.labels) as $labels
        | .[] | select(.kind == "NetworkPolicy").spec
        | (.podSelector.matchLabels | to_entries | all(.value == $labels[.key]))
            and (.policyTypes | sort == ["Egress", "Ingress"])
            and all(.ingress[]; .ports | length > 0) and all(.egress[]; (.to | length > 0) and (.ports | length > 0))' \
        "$MADE/sidecar.json"
    hold 'all($containers[].ports // [] | .[]; .containerPort != 5001)'
}

@test "the lines of README.md make a Secret of a folder of keys, and another after a rotation" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -m 0700 keys
    PATH=${AUTHSERVER_BUILD:-$SOURCE/build}:$PATH
    # What is shown, but for the cluster.
    shown=$(awk '/^```/ { inside = !inside; next } inside' "$SOURCE/deploy/kubernetes/README.md" |
        sed -n 's/^\$ //p' | grep -E '^(authserverctl|kubectl create secret generic authserver-keys)')
    [ "$(grep -c authserverctl <<<"$shown")" -ge 2 ]
    while read -r line; do
        echo "+ $line"
        bash -c "${line/ | kubectl apply -f -/ >>secrets.yaml; echo --- >>secrets.yaml}"
    done <<<"$shown"
    ls keys
    sed -i '$d' secrets.yaml
    schema secrets.yaml
    /usr/bin/python3 -c '
import yaml
first, second = list(yaml.safe_load_all(open("secrets.yaml")))
assert len(first["data"]) == 1 and len(second["data"]) == 2, (first, second)
assert all(name.endswith(".pem") for name in second["data"])
assert first["data"].items() <= second["data"].items()'
}
