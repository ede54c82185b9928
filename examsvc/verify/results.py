"""V15 the published ranking is the one approved and computed; V20 the software that computed it is named."""

from collections.abc import Iterator

from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.reading import Bundle


def published(read: Bundle) -> Finding:
    """V15: computed, approved and published rankings of a post are one commitment, opened in the bundle."""
    title = "the published ranking is the one that was computed and approved"
    return conclude("V15", title, list(_published(read)))


def _published(read: Bundle) -> Iterator[str]:
    runs = {
        (type, post, entry.body["run"]): entry.body["ranking"]
        for type in ("results.computed", "results.approved")
        for entry in read.of(type)
        for post in entry.posts
    }
    editions: dict[str, int] = {}
    for entry in read.of("results.published"):
        for post in entry.posts:
            for type in ("results.computed", "results.approved"):
                if runs.get((type, post, entry.body["run"])) != entry.body["ranking"]:
                    yield f"entry {entry.index}: the published ranking of {post} is not the one in {type}"
            if entry.body["edition"] != editions.get(post, 0) + 1:
                yield f"entry {entry.index}: edition {entry.body['edition']} of {post} does not follow the one before"
            if ("previous" in entry.body) != (entry.body["edition"] > 1):
                yield f"entry {entry.index}: a later edition names the bundle of the one before, a first one none"
            editions[post] = entry.body["edition"]
        if read.opened(entry.body["ranking"]) is None:
            yield f"entry {entry.index}: the published ranking is not in the bundle"
    for entry in read.of("stage.published"):
        for post in entry.posts:
            if runs.get(("results.computed", post, entry.body["run"])) != entry.body["ranking"]:
                yield f"entry {entry.index}: the published ranking of {post} is not the one computed"
    for post in read.manifest["posts"]:
        if editions.get(post) != read.manifest["edition"]:
            yield f"the bundle is edition {read.manifest['edition']}, the log's newest of {post} is {editions.get(post, 0)}"


def release(read: Bundle) -> Finding:
    """V20: the release that computed the results was installed according to the registry."""
    title = "the software release is named in the registry"
    if read.registry_checkpoint is None:
        return not_checkable("V20", title, "the registry log is not in this bundle")
    installed = {
        entry.body["version"]: entry
        for entry in read.registry
        if entry is not None and entry.type == "release.installed"
    }
    reasons = [
        f"entry {entry.index}: release {entry.body['release']} was not installed at that time"
        for entry in read.of("results.computed")
        if entry.body["release"] not in installed or installed[entry.body["release"]].time > entry.time
    ]
    notes = [f"{version}: {entry.body['digest']}" for version, entry in installed.items()]
    return conclude("V20", title, reasons, notes)
