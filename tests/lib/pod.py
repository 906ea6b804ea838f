"""What the kubelet has to do for a pod, as lines for bash: see kubelet.bash.

    pod.py MANIFESTS

MANIFESTS is what kubectl kustomize printed. Of its Pod, or of the template of its DaemonSet,
become "volume NAME KIND ARGUMENT...", "container NAME IMAGE UID GID CAPABILITIES", and for each
container "env", "argument" and "mount".
"""

import shlex
import sys

import yaml


def say(*words):
    print(" ".join(shlex.quote(str(word)) for word in words))


def pod_of(path):
    with open(path, encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    for document in documents:
        if document["kind"] == "Pod":
            return document["spec"]
        if document["kind"] == "DaemonSet":
            return document["spec"]["template"]["spec"]
    sys.exit("no Pod and no DaemonSet in " + path)


def volume(one):
    name = one["name"]
    if "emptyDir" in one:
        say("volume", name, "empty", one["emptyDir"].get("medium", "Disk"))
    elif "secret" in one:
        secret = one["secret"]
        say("volume", name, "secret", secret["secretName"], "%o" % secret["defaultMode"])
    elif "hostPath" in one:
        say("volume", name, "host", one["hostPath"]["path"])
    else:
        sys.exit("a volume of another kind: %s" % name)


def container(one, pod):
    security = {**pod["securityContext"], **one["securityContext"]}
    name = one["name"]
    added = ",".join("+" + c.lower() for c in security["capabilities"].get("add", []))
    say(
        "container", name, one["image"].split(":")[0], security["runAsUser"],
        security["runAsGroup"], "-all" + ("," + added if added else ""),
    )
    for variable in one.get("env", []):
        say("env", name, "%(name)s=%(value)s" % variable)
    for argument in one.get("args", []):
        say("argument", name, argument)
    for mount in one["volumeMounts"]:
        say("mount", name, mount["name"], mount["mountPath"],
            "ro" if mount.get("readOnly") else "rw")


def main():
    pod = pod_of(sys.argv[1])
    say("fsgroup", pod["securityContext"]["fsGroup"])
    for one in pod["volumes"]:
        volume(one)
    for one in pod.get("initContainers", []) + pod["containers"]:
        container(one, pod)


main()
