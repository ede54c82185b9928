"""An insider who rewrites a competition's log and signs it anew, with all witnesses' help, so that only logic can find him."""

import hashlib
import json
from dataclasses import dataclass, replace

from hall import CODE, LOG_KEY, WITNESSES, Hall, checkpoint_of, material

from examsvc.ledger import canonical, chains, commitments
from examsvc.ledger.bundle import Material, Opened, Save, compose, pack


def refitted(content: dict[str, bytes]) -> bytes:
    """A bundle of these files with a manifest that lists them rightly."""
    manifest = canonical.decode(content["manifest.json"])
    files = {name: data for name, data in content.items() if name != "manifest.json"}
    manifest["files"] = {
        name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in sorted(files.items())
    }
    return pack({"manifest.json": canonical.encode(manifest), **files})


@dataclass
class World:
    """A competition laid open for changes."""

    hall: Hall
    frames: list[dict]
    openings: list[Opened]
    chains: dict[str, list[Save]]
    heads: dict[int, dict[str, int]]
    base: Material

    @classmethod
    def of(cls, hall: Hall) -> "World":
        base = material(hall)
        return cls(
            hall,
            [canonical.decode(data) for data in hall.data],
            list(base.openings),
            {attempt: list(saves) for attempt, saves in base.chains.items()},
            {index: dict(counts) for index, counts in base.heads.items()},
            base,
        )

    def find(self, type: str, **body: object) -> dict:
        return next(
            frame
            for frame in self.frames
            if frame["type"] == type and all(frame["body"].get(name) == value for name, value in body.items())
        )

    def all(self, type: str) -> list[dict]:
        return [frame for frame in self.frames if frame["type"] == type]

    def opening(self, commitment: str) -> Opened:
        return next(item for item in self.openings if item.commitment == commitment)

    def reopen(self, commitment: str, value: object) -> str:
        """Another object behind a commitment, with the log changed to fit wherever the commitment stands."""
        item = self.opening(commitment)
        new = commitments.commit(item.object, item.salt, value)
        self.openings[self.openings.index(item)] = replace(item, commitment=new, value=value)
        for place, frame in enumerate(self.frames):
            text = json.dumps(frame, ensure_ascii=False)
            if commitment in text:
                self.frames[place] = json.loads(text.replace(commitment, new))
                if "pairs" in self.frames[place]["body"] and isinstance(
                    self.frames[place]["body"]["pairs"], list
                ):
                    self.frames[place]["body"]["pairs"].sort()
        return new

    def drop(self, frame: dict) -> None:
        self.move(frame, None)

    def move(self, frame: dict, before: dict | None) -> None:
        """Take an entry out, or put it before another; indices, orders and openings follow."""
        old = list(self.frames)
        self.frames.remove(frame)
        if before is not None:
            self.frames.insert(self.frames.index(before), frame)
        self._follow(old)

    def insert(self, frame: dict, after: dict) -> None:
        old = list(self.frames)
        self.frames.insert(self.frames.index(after) + 1, frame)
        self._follow(old)

    def commit(self, frame: dict, name: str, value: object) -> str:
        """A new opening for an entry."""
        salt = bytes([len(self.openings) % 256]) * 32
        commitment = commitments.commit(name, salt, value)
        self.openings.append(Opened(frame["n"], commitment, name, salt, value))
        return commitment

    def _follow(self, old: list[dict]) -> None:
        places = {id(frame): place for place, frame in enumerate(self.frames)}
        new = {place: places.get(id(frame)) for place, frame in enumerate(old)}
        self.openings = [replace(o, entry=new[o.entry]) for o in self.openings if new[o.entry] is not None]
        self.heads = {new[place]: counts for place, counts in self.heads.items() if new[place] is not None}
        time = 0
        for place, frame in enumerate(self.frames):
            frame["n"] = place
            if "under" in frame["body"] and new.get(frame["body"]["under"]) is not None:
                frame["body"]["under"] = new[frame["body"]["under"]]
            frame["t"] = time = max(time, frame["t"])

    def resave(self, attempt: str, change) -> None:
        """Change the saves of an attempt by `change(list of values)`; chain, submit and heads follow."""
        values = change([json.loads(json.dumps(save.value)) for save in self.chains[attempt]])
        salts = [save.salt for save in self.chains[attempt]]
        salts += [bytes([n]) * 32 for n in range(len(values) - len(salts))]
        self.chains[attempt] = [
            Save(commitments.commit("attempt.save", salt, value), salt, value)
            for salt, value in zip(salts, values, strict=False)
        ]
        self.rechain()

    def rechain(self) -> None:
        history = {
            attempt: chains.replay(CODE, attempt, [save.commitment for save in saves])
            for attempt, saves in self.chains.items()
        }
        for frame in self.all("attempt.submitted"):
            head = history[frame["body"]["attempt"]][-1]
            frame["body"] |= {"links": head.links, "head": head.head}
        for index, counts in self.heads.items():
            counts.update({attempt: len(self.chains[attempt]) for attempt in counts})
            heads = [history[attempt][links] for attempt, links in counts.items()]
            self.frames[index]["body"] |= {"links": sum(counts.values()), "root": chains.heads_root(heads)}

    @property
    def entries(self) -> list[bytes]:
        return [canonical.encode(frame) for frame in self.frames]

    def material(self) -> Material:
        return replace(
            self.base,
            entries=self.entries,
            checkpoint=checkpoint_of(self.entries, LOG_KEY, WITNESSES),
            openings=self.openings,
            chains=self.chains,
            heads=self.heads,
        )

    def bundle(self, kind: str = "restricted") -> bytes:
        return compose(self.material(), kind, self.hall.posts, 1)
