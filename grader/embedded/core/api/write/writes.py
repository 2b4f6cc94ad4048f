"""Writing: create, replace, patch, apply, delete.

The order of the steps is that of kube-apiserver's generic registry (k8s.io/apiserver/pkg/registry/generic/registry/
store.go and pkg/endpoints/handlers, 1.36): decode, default, allocate, prepare, validate, note the owners, store.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from grader.embedded.core.api.http import status
from grader.embedded.core.api.http.field import required
from grader.embedded.core.api.http.messages import Response, Tree
from grader.embedded.core.api.http.negotiate import body
from grader.embedded.core.api.http.routes import ResourcePath
from grader.embedded.core.api.kinds.admission import admit
from grader.embedded.core.api.kinds.call import Call
from grader.embedded.core.api.kinds.pod import random_suffix
from grader.embedded.core.api.kinds.registry import Resource
from grader.embedded.core.api.kinds.strategy import HookContext, validate_meta, validate_meta_update
from grader.embedded.core.api.read import views
from grader.embedded.core.api.read.reads import answer
from grader.embedded.core.api.read.scale import scale_of
from grader.embedded.core.api.write import bodies, deletion, managed, tokenrequest
from grader.embedded.core.api.write.eviction import evict
from grader.embedded.core.api.write.patching import patched
from grader.embedded.core.events import Recorder
from grader.embedded.core.objects import is_deleting, without
from grader.embedded.core.store import GENERATION_FIELDS, AlreadyExists, Conflict, Obj, Store, timestamp
from grader.embedded.core.support.telling import record, warnings
from grader.embedded.core.support.unemulated import unemulated

NAME_LIMIT = 58  # k8s.io/apiserver/pkg/storage/names/generate.go: 63 less the suffix
GENERATE_TRIES = 8  # apiserver pkg/registry/generic/registry/store.go maxNameGenerationCreateAttempts
SERVER_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")


@dataclass
class Write:
    """The options of one write, and what it has to tell.

    Attributes:
        call: the request.
        manager: who writes.
        dry_run: nothing is stored.
        validation: Strict, Warn or Ignore.
        warnings: told with the answer.
    """

    call: Call
    manager: managed.Manager
    dry_run: bool
    validation: str
    warnings: list[str] = field(default_factory=list)

    def context(self, store: Store) -> HookContext:
        """What hooks may see."""
        return HookContext(store, self.dry_run, self.call.target.subresource)


def _open(call: Call, *, applying: bool = False) -> Write:
    request, target = call.request, call.target
    dry_run = [value for key, value in request.query if key == "dryRun"]
    if any(value not in ("All", "") for value in dry_run):
        raise status.bad_request(f'invalid dryRun value: {dry_run[0]}, supported values: "All"')
    agent = request.headers.get("user-agent", "unknown").partition("/")[0].partition(" ")[0]
    manager = managed.Manager(
        request.param("fieldManager") or agent,
        "Apply" if applying else "Update",
        call.resource.api_version,
        target.subresource if target.subresource != "ephemeralcontainers" else "",
    )
    validation = request.param("fieldValidation") or "Warn"
    return Write(call, manager, "All" in dry_run, validation)


class Writer:
    """Carries out writes on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recorder = Recorder(store)

    def read_body(self, call: Call) -> tuple[Obj, list[str]]:
        """The object of a body, and what strict decoding objects to. Raises ApiError."""
        return bodies.decode(call.request.body, call.request.headers.get("content-type", ""), call.resource)

    def create(self, call: Call) -> Response:
        """POST. Raises ApiError."""
        target = call.target
        if target.subresource == "eviction":
            return evict(self._store, call)
        if target.subresource == "binding":
            return self._bind(call)
        if target.subresource == "token":
            return tokenrequest.create(self._store, call)
        if target.subresource or target.name:
            raise status.method_not_allowed()
        write = _open(call)
        obj = self._decoded(write)
        stored = self._create(obj, write)
        return answer(stored, call, self._store.now(), code=201, warnings=write.warnings)

    def replace(self, call: Call) -> Response:
        """PUT. Raises ApiError."""
        target = call.target
        if not target.name:
            raise status.method_not_allowed()
        write = _open(call)
        if not target.subresource and call.resource.strategy.allow_create_on_update:
            obj = self._decoded(write)
            if self._store.get(call.resource.store_name, target.namespace, target.name) is None:
                _check_name(obj, target)
                stored = self._create(obj, write)
                now = self._store.now()
                return answer(stored, call, now, code=201, warnings=write.warnings)
        old = self._existing(write)
        if target.subresource == "scale":
            return self._scale(bodies.decode_as(call.request, "autoscaling", "v1", "Scale"), old, write)
        obj = self._decoded(write)
        _check_name(obj, target)
        stored = self._update(obj, old, write)
        return answer(stored, call, self._store.now(), warnings=write.warnings)

    def patch(self, call: Call) -> Response:
        """PATCH of all four kinds. Raises ApiError."""
        request, target, resource = call.request, call.target, call.resource
        if not target.name:
            raise status.method_not_allowed()
        kind = bodies.patch_type(request)
        if kind == bodies.APPLY:
            return self._apply(call)
        write = _open(call)
        old = self._existing(write)
        if target.subresource == "scale":
            scale, _ = patched(scale_of(old, resource), request, "io.k8s.api.autoscaling.v1.Scale", write.validation)
            return self._scale(scale, old, write)
        shown = views.shown(old, resource)
        obj, problems = patched(shown, request, resource.definition, write.validation)
        write.warnings += problems
        _check_name(obj, target)
        stored = self._update(views.stored(obj, resource), old, write)
        return answer(stored, call, self._store.now(), warnings=write.warnings)

    def delete(self, call: Call) -> Response:
        """DELETE of one object. Raises ApiError."""
        if call.target.subresource:
            raise status.method_not_allowed()
        return deletion.delete(self._store, call)

    def delete_collection(self, call: Call) -> Response:
        """DELETE of all objects that selectors match. Raises ApiError."""
        return deletion.delete_collection(self._store, call)

    def _decoded(self, write: Write) -> Obj:
        obj, problems = self.read_body(write.call)
        if problems and write.validation == "Strict":
            raise bodies.strict_refusal(write.call.resource, problems)
        if write.validation == "Warn":
            write.warnings += problems
        meta = obj.setdefault("metadata", {})
        if write.call.resource.namespaced:
            if meta.setdefault("namespace", write.call.target.namespace) != write.call.target.namespace:
                raise status.bad_request(
                    "the namespace of the provided object does not match the namespace sent on the request"
                )
        return views.stored(obj, write.call.resource)

    def _existing(self, write: Write) -> Obj:
        target, resource = write.call.target, write.call.resource
        old = self._store.get(resource.store_name, target.namespace, target.name)
        if old is None:
            raise status.not_found(resource.plural, resource.group, target.name)
        return old

    def _create(self, obj: Obj, write: Write, *, owners: managed.Owners | None = None) -> Obj:
        resource, strategy = write.call.resource, write.call.resource.strategy
        meta = obj["metadata"]
        for key in ("uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation", "managedFields"):
            if key == "resourceVersion" and meta.get(key):
                raise status.ApiError(500, "", "resourceVersion should not be set on objects to be created")
            meta.pop(key, None)
        if meta.get("generateName") and not meta.get("name"):
            self._generate_name(meta, write)
        name = meta.get("name", "")
        self._check_namespace(write, name)
        strategy.default(obj)
        context = write.context(self._store)
        now = timestamp(self._store.now())
        if owners is None:
            _record_update(obj, None, write, now)
        else:
            managed.record_apply(obj, None, owners, write.manager, now)
        strategy.begin_create(obj, context)
        strategy.prepare_create(obj, context)
        errors = validate_meta(obj, strategy) + strategy.validate(obj, context)
        if errors:
            raise status.invalid(resource.kind, resource.group, name, errors)
        admit(self._store, resource.store_name, obj)
        inert = unemulated(obj)
        write.warnings += [*strategy.warnings(obj, None), *warnings(inert)]
        there = self._store.get(resource.store_name, meta.get("namespace", ""), name)
        if there is not None:
            raise status.already_exists(resource.plural, resource.group, name, deleting=is_deleting(there))
        if write.dry_run:
            kept = {**meta, "uid": self._store.new_uid(), "creationTimestamp": now}
            if resource.store_name in GENERATION_FIELDS:
                kept["generation"] = 1
            return {**obj, "metadata": kept}
        try:
            stored = self._store.create(resource.store_name, obj)
        except AlreadyExists as error:
            raise status.already_exists(resource.plural, resource.group, name) from error
        record(self._recorder, stored, inert, None)
        return stored

    def _generate_name(self, meta: Tree, write: Write) -> None:
        prefix = meta["generateName"][:NAME_LIMIT]
        for _ in range(GENERATE_TRIES):
            name = prefix + random_suffix(write.context(self._store))
            if self._store.get(write.call.resource.store_name, meta.get("namespace", ""), name) is None:
                break
        meta["name"] = name

    def _check_namespace(self, write: Write, name: str) -> None:
        """The NamespaceLifecycle admission plugin: the namespace is there and stays."""
        resource, namespace = write.call.resource, write.call.target.namespace
        if not resource.namespaced:
            return
        found = self._store.get("namespaces", "", namespace)
        if found is None:
            raise status.not_found("namespaces", "", namespace)
        if found.get("status", {}).get("phase") == "Terminating":
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            error = status.forbidden(resource.plural, resource.group, name, why)
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
            error.details = {**(error.details or {}), "causes": [{**cause, "field": "metadata.namespace"}]}
            raise error

    def _update(self, obj: Obj, old: Obj, write: Write, *, owners: managed.Owners | None = None) -> Obj:
        resource, strategy = write.call.resource, write.call.resource.strategy
        obj = copy.deepcopy(obj)
        meta, before = obj.setdefault("metadata", {}), old["metadata"]
        expected = meta.pop("resourceVersion", "")
        name = before["name"]
        if meta.get("uid") and meta["uid"] != before["uid"]:
            place = "/".join(filter(None, (_etcd_folder(resource), before.get("namespace"), name)))
            why = (
                f"StorageError: invalid object, Code: 4, Key: /registry/{place}, ResourceVersion: 0, "
                f"AdditionalErrorMsg: Precondition failed: UID in precondition: {meta['uid']}, "
                f"UID in object meta: {before['uid']}"
            )
            raise status.conflict(resource.plural, resource.group, name, why)
        if expected and expected != before["resourceVersion"]:
            raise status.conflict(resource.plural, resource.group, name)
        sent_owners = meta.pop("managedFields", None)
        for key in SERVER_KEPT:
            meta.pop(key, None)
            if key in before:
                meta[key] = before[key]
        if resource.namespaced:
            meta.setdefault("namespace", before["namespace"])
        views.drop_empty(meta)
        context = write.context(self._store)
        if context.subresource == "status":
            obj = {**old, "metadata": meta, "status": obj.get("status", {})}
        strategy.default(obj)
        self._note_owners(obj, old, write, owners, sent_owners)
        strategy.begin_update(obj, old, context)
        strategy.prepare_update(obj, old, context)
        errors = validate_meta_update(obj, old) + strategy.validate_update(obj, old, context)
        if errors:
            raise status.invalid(resource.kind, resource.group, name, errors)
        if not write.call.target.subresource:
            admit(self._store, resource.store_name, obj, old)
        inert = unemulated(obj)
        write.warnings += [*strategy.warnings(obj, old), *warnings(inert)]
        obj = managed.keep_times(obj, old)
        if write.dry_run:
            return {**obj, "metadata": {**obj["metadata"], "resourceVersion": before["resourceVersion"]}}
        try:
            stored = self._store.update(resource.store_name, obj, expect=before["resourceVersion"])
        except Conflict as error:
            raise status.conflict(resource.plural, resource.group, name) from error
        record(self._recorder, stored, inert, old)
        return deletion.finish(self._store, resource, stored)

    def _note_owners(
        self, obj: Obj, old: Obj, write: Write, owners: managed.Owners | None, sent: list[Tree] | None
    ) -> None:
        now = timestamp(self._store.now())
        if owners is not None:
            managed.record_apply(obj, old, owners, write.manager, now)
            return
        known = old["metadata"].get("managedFields")
        if sent is not None and sent != known:
            # A client that edits managedFields means it: kubectl moves ownership this way, `[{}]` clears it.
            base = {**old, "metadata": {**old["metadata"], "managedFields": [entry for entry in sent if entry]}}
            _record_update(obj, base, write, now)
            return
        _record_update(obj, old, write, now)

    def _apply(self, call: Call) -> Response:
        """Server-side apply."""
        request, target, resource = call.request, call.target, call.resource
        if not request.param("fieldManager"):
            missing = required("fieldManager", "is required for apply patch")
            raise status.invalid("PatchOptions", "meta.k8s.io", "", [missing])
        write = _open(call, applying=True)
        config, problems = bodies.decode_apply(request, resource)
        if problems:
            raise bodies.untyped(config, problems, resource)
        meta = config.setdefault("metadata", {})
        if meta.pop("managedFields", None):
            raise status.bad_request("metadata.managedFields must be nil")
        meta.setdefault("name", target.name)
        _check_name(config, target)
        if resource.namespaced:
            meta.setdefault("namespace", target.namespace)
        old = self._store.get(resource.store_name, target.namespace, target.name)
        if old is None:
            if target.subresource:
                raise status.not_found(resource.plural, resource.group, target.name)
            paths = frozenset(managed.applied_paths(config, resource.definition))
            made = views.stored(copy.deepcopy(config), resource)
            stored = self._create(made, write, owners={write.manager: (paths, "")})
            return answer(stored, call, self._store.now(), code=201, warnings=write.warnings)
        if target.subresource == "status":
            config = {key: value for key, value in config.items() if key != "spec"}
        else:
            config = {key: value for key, value in config.items() if key != "status"}
        merged, owners = managed.apply(
            copy.deepcopy(views.converted(old, resource)),
            config,
            write.manager,
            resource.definition,
            force=request.flag("force"),
        )
        stored = self._update(views.stored(merged, resource), old, write, owners=owners)
        return answer(stored, call, self._store.now(), warnings=write.warnings)

    def _scale(self, scale: Tree, old: Obj, write: Write) -> Response:
        resource = write.call.resource
        replicas: Any = scale.get("spec", {}).get("replicas", 0)
        name = old["metadata"]["name"]
        expected = scale.get("metadata", {}).get("resourceVersion")
        if expected and expected != old["metadata"]["resourceVersion"]:
            raise status.conflict(resource.plural, resource.group, name)
        if replicas < 0:
            errors = [bodies.negative_replicas(replicas)]
            raise status.invalid("Scale", "autoscaling", name, errors)
        obj = copy.deepcopy(old)
        obj["spec"]["replicas"] = replicas
        whole = replace(write.call, target=replace(write.call.target, subresource=""))
        plain = Write(whole, write.manager, write.dry_run, write.validation)
        stored = self._update(obj, old, plain)
        data, content_type = body(scale_of(stored, resource), write.call.negotiated)
        return Response(200, (("content-type", content_type),), data)

    def _bind(self, call: Call) -> Response:
        """Assign a Pod to a node (pkg/registry/core/pod/storage: BindingREST)."""
        target = call.target
        binding = bodies.plain_json(call.request)
        pod = self._store.get("pods", target.namespace, target.name)
        if pod is None:
            raise status.not_found("pods", "", target.name)
        if pod["spec"].get("nodeName"):
            why = f"pod {target.name} is already assigned to node {pod['spec']['nodeName']!r}"
            raise status.conflict("pods/binding", "", target.name, why)
        node = binding.get("target", {}).get("name", "")
        kept = without(pod.get("status") or {}, "nominatedNodeName")
        self._store.update("pods", {**pod, "spec": {**pod["spec"], "nodeName": node}, "status": kept})
        return deletion.success(201)


def _check_name(obj: Obj, target: ResourcePath) -> None:
    name = obj.get("metadata", {}).get("name")
    if name != target.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({target.name})"
        raise status.bad_request(text)


def _etcd_folder(resource: Resource) -> str:
    """Where a kind is stored (pkg/registry, each storage's ResourcePrefix)."""
    folders = {"services": "services/specs", "endpoints": "services/endpoints", "nodes": "minions"}
    return folders.get(resource.plural, resource.plural)


def _record_update(obj: Obj, old: Obj | None, write: Write, now: str) -> None:
    """Note who changed what, in the fields of the version that was written in."""
    resource = write.call.resource
    seen = views.converted(obj, resource)
    managed.record_update(seen, old and views.converted(old, resource), write.manager, resource.definition, now)
    if seen is not obj:
        views.take_owners(obj, seen)
