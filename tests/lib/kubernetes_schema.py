"""Checks manifests against the schema of the Kubernetes API: kubernetes_schema.py FILE...

The schema is that of the official client, python3-kubernetes, which is made from the API's OpenAPI
description: which fields an object has, of which types, and which are required. Says the first fault
of each file and exits 1. A field that an API server would drop or refuse is a mistake here.
"""

import re
import sys

import kubernetes.client as client
import yaml

PLAIN = {"str": str, "bool": bool, "int": int, "float": (int, float), "object": object}


class Wrong(Exception):
    """A fault, and where."""


def check(value, kind, at):
    """Raises Wrong unless value is of the kind, as the client's openapi_types name kinds."""
    inner = re.fullmatch(r"(list|dict)[\[(](?:str, )?(.*)[\])]", kind)
    if inner:
        entries = value.items() if inner[1] == "dict" else enumerate(value)
        if not isinstance(value, {"list": list, "dict": dict}[inner[1]]):
            raise Wrong("%s: not a %s" % (at, inner[1]))
        for key, entry in entries:
            check(entry, inner[2], "%s.%s" % (at, key))
    elif kind in PLAIN:
        # Python's booleans are numbers.
        if not isinstance(value, PLAIN[kind]) or isinstance(value, bool) > (kind in ("bool", "object")):
            # An int-or-string is an object of the client's.
            raise Wrong("%s: %r is not of type %s" % (at, value, kind))
    elif kind != "datetime":
        check_object(value, getattr(client, kind), at)


def check_object(value, model, at):
    """Raises Wrong unless value has the fields of the model, and those that it needs."""
    if not isinstance(value, dict):
        raise Wrong("%s: not an object" % at)
    names = {field: name for name, field in model.attribute_map.items()}
    for field, entry in value.items():
        if field not in names:
            raise Wrong("%s: %s has no field %s" % (at, model.__name__, field))
        check(entry, model.openapi_types[names[field]], "%s.%s" % (at, field))
    try:
        model(**{names[field]: entry for field, entry in value.items()})
    except ValueError as error:
        raise Wrong("%s: %s" % (at, error)) from None


def model_of(document):
    """networking.k8s.io/v1, NetworkPolicy: V1NetworkPolicy."""
    version = document["apiVersion"].rpartition("/")[2]
    name = version[0].upper() + version[1:] + document["kind"]
    model = getattr(client, name, None)
    if model is None:
        raise Wrong("there is no %s in %s" % (document["kind"], document["apiVersion"]))
    return model


def check_file(path):
    """Raises Wrong for the first fault of a file."""
    with open(path, encoding="utf-8") as file:
        documents = list(yaml.safe_load_all(file))
    if not documents:
        raise Wrong("no manifests")
    for document in documents:
        check_object(document, model_of(document), document["kind"])


def main():
    status = 0
    for path in sys.argv[1:]:
        try:
            check_file(path)
        except Wrong as wrong:
            print("%s: %s" % (path, wrong))
            status = 1
    sys.exit(status)


main()
