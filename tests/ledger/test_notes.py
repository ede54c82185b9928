"""Signed notes, checkpoints and cosignatures against published examples, and every small change refused."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from examsvc.ledger import checkpoints, notes
from examsvc.ledger.checkpoints import Checkpoint, CheckpointError
from examsvc.ledger.notes import COSIGNATURE, ED25519, Note, NoteError, Signature, SignerKey

# c2sp.org/signed-note, "Verifier keys", example
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# golang.org/x/mod/sumdb/note, note_test.go
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
# a checkpoint as the staging log arche2025h1 of transparency.dev published it in May 2026, with its witnesses' published keys
REAL = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESSES = (
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
)

LOG = SignerKey("exam.example/log", ED25519, bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", COSIGNATURE, bytes(range(1, 33)))
OTHER = SignerKey("witness.example/w2", COSIGNATURE, bytes(range(2, 34)))
POINT = Checkpoint("exam.example/log", 1234, hashlib.sha256(b"root").digest())


def witnessed():
    note = checkpoints.sign(POINT, LOG)
    return note.with_signatures([checkpoints.cosign(POINT, WITNESS, 1_790_000_000)])


def verify(data, **options):
    return checkpoints.verify(data, [LOG.verifier], [WITNESS.verifier, OTHER.verifier], **options)


@pytest.mark.parametrize("text", [SPEC_KEY, GO_KEY, REAL_LOG, *REAL_WITNESSES])
def test_published_keys_come_back(text):
    assert notes.read_key(text).text == text


def test_the_examples_of_the_specification_and_of_go_verify():
    for key, data in ((SPEC_KEY, SPEC_NOTE), (GO_KEY, GO_TEXT + "\n" + GO_LINE)):
        note = notes.read_note(data.encode())
        (signature,) = note.signatures
        verifier = notes.read_key(key)
        assert (signature.name, signature.id) == (verifier.name, verifier.id)
        assert verifier.verifies(note.text.encode(), signature.signature)
        assert note.data == data.encode()


def test_signing_with_go_s_key_gives_go_s_note():
    signer = notes.read_signer(GO_SIGNER)
    assert signer.text == GO_SIGNER
    assert notes.sign(GO_TEXT, signer).data == (GO_TEXT + "\n" + GO_LINE).encode()
    assert "AYEKFALV" not in repr(signer)


def test_a_real_checkpoint_with_four_real_witnesses_verifies():
    keys = [notes.read_key(text) for text in REAL_WITNESSES]
    signed = checkpoints.verify(REAL.encode(), [notes.read_key(REAL_LOG)], keys, strangers=True)
    assert signed.checkpoint.size == 1432088532
    assert {key: signed.cosigned[key] for key in keys} == dict.fromkeys(keys, 0x6A122120)
    assert signed.note.data == REAL.encode()
    # its second signature is of a type (RFC 6962's) that we do not know: a stranger
    with pytest.raises(CheckpointError, match="neither this log nor a known witness"):
        checkpoints.verify(REAL.encode(), [notes.read_key(REAL_LOG)], keys)
    with pytest.raises(CheckpointError, match="is wrong"):
        checkpoints.verify(
            REAL.replace("1432088532", "1432088531").encode(),
            [notes.read_key(REAL_LOG)],
            keys,
            strangers=True,
        )


def test_a_cosignature_by_hand():
    message = b"cosignature/v1\ntime 1790000000\n" + POINT.text.encode()
    key = Ed25519PrivateKey.from_private_bytes(WITNESS.seed)
    id_ = hashlib.sha256(b"witness.example/w1\n\x04" + key.public_key().public_bytes_raw()).digest()[:4]
    signature = checkpoints.cosign(POINT, WITNESS, 1_790_000_000)
    assert signature.id == id_
    assert signature.signature == (1_790_000_000).to_bytes(8, "big") + key.sign(message)


def test_our_own_checkpoint_verifies_and_comes_back():
    data = witnessed().data
    signed = verify(data)
    assert signed.checkpoint == POINT
    assert signed.cosigned == {WITNESS.verifier: 1_790_000_000}
    assert checkpoints.parse(data)[1].data == data


def test_every_single_byte_change_of_a_checkpoint_is_refused():
    data = witnessed().data
    tried = 0
    for place in range(len(data)):
        for byte in {data[place] ^ bit for bit in (1, 2, 4, 8, 16, 32, 64, 128)} | set(b"\n \t+-=A0\0") - {
            data[place]
        }:
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            if changed == data:
                continue
            tried += 1
            with pytest.raises(CheckpointError):
                verify(changed)
    assert tried > 10 * len(data)


def test_every_dropped_doubled_or_inserted_byte_is_refused():
    data = witnessed().data
    unwitnessed = checkpoints.sign(POINT, LOG).data
    tried = 0
    for place in range(len(data)):
        for changed in (
            data[:place] + data[place + 1 :],
            data[:place] + data[place : place + 1] + data[place:],
            data[:place] + b"\n" + data[place:],
            data[:place] + b" " + data[place:],
            data[:place],
        ):
            if changed == unwitnessed:  # a whole line less: the quorum misses it
                assert verify(changed).cosigned == {}
            elif changed != data:
                tried += 1
                with pytest.raises(CheckpointError):
                    verify(changed)
    for extra in (b"\n", b" ", b"x"):
        with pytest.raises(CheckpointError):
            verify(data + extra)
    assert tried > 4 * len(data)


def test_strangers_repeated_and_forged_signers():
    note = witnessed()
    stranger = SignerKey("witness.example/w9", COSIGNATURE, bytes(32))
    with_stranger = note.with_signatures([checkpoints.cosign(POINT, stranger, 5)]).data
    with pytest.raises(CheckpointError, match="neither"):
        verify(with_stranger)
    assert verify(with_stranger, strangers=True).cosigned == {WITNESS.verifier: 1_790_000_000}

    twice = Note(note.text, (*note.signatures, checkpoints.cosign(POINT, WITNESS, 1_790_000_001)))
    with pytest.raises(CheckpointError, match="twice"):
        verify(twice.data)
    assert note.with_signatures(twice.signatures) == note

    # a known name and ID over the wrong key: the signature does not verify, whoever else signed
    key = OTHER.verifier
    forged = Signature(key.name, key.id, checkpoints.cosign(POINT, stranger, 5).signature)
    with pytest.raises(CheckpointError, match="is wrong"):
        verify(note.with_signatures([forged]).data, strangers=True)


def test_without_the_log_s_own_signature_witnesses_are_nothing():
    note = Note(POINT.text, (checkpoints.cosign(POINT, WITNESS, 5),))
    with pytest.raises(CheckpointError, match="no known key of the log"):
        verify(note.data)


def test_a_log_key_for_another_origin_does_not_sign_for_this_one():
    other = SignerKey("exam.example/other", ED25519, LOG.seed)
    with pytest.raises(CheckpointError, match="does not sign"):
        checkpoints.sign(POINT, other)
    note = notes.sign(POINT.text, other)
    with pytest.raises(CheckpointError):
        checkpoints.verify(note.data, [other.verifier, LOG.verifier])


def test_keys_keep_to_their_trade():
    with pytest.raises(CheckpointError, match="does not cosign"):
        checkpoints.cosign(POINT, LOG, 5)
    with pytest.raises(NoteError, match="witness key"):
        notes.sign("text\n", WITNESS)
    plain = SignerKey(WITNESS.name, ED25519, WITNESS.seed)
    confused = notes.sign(POINT.text, plain)
    with pytest.raises(CheckpointError):
        verify(checkpoints.sign(POINT, LOG).with_signatures(confused.signatures).data)


BODIES = [
    "exam.example/log\n1234\n",
    "exam.example/log\n01234\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "exam.example/log\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "exam.example/log\n\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "exam.example/log\n99999999999999999999\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "exam.example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
    "exam.example/log\n1\nAAAA\n",
    "exam.example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n",
    "exam example/log\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
]


@pytest.mark.parametrize("text", BODIES)
def test_malformed_checkpoints_are_refused_though_signed(text):
    note = notes.sign(text, LOG) if text.strip() else None
    with pytest.raises(CheckpointError):
        checkpoints.verify(note.data, [LOG.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+AQ==",
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY + "=",
        SPEC_KEY + "\n",
        SPEC_KEY[:-1] + "l",
        SPEC_KEY.replace("Aeky", "Beky"),
        "a b+" + SPEC_KEY.partition("+")[2],
        "+" + SPEC_KEY.partition("+")[2],
    ],
)
def test_malformed_keys_are_refused(text):
    with pytest.raises(NoteError):
        notes.read_key(text)


@pytest.mark.parametrize(
    "text", ["", "PRIVATE+KEY+a+b", GO_SIGNER[:-4], GO_SIGNER.replace("c74f", "c74e"), GO_KEY]
)
def test_malformed_private_keys_are_refused_without_showing_them(text):
    with pytest.raises(NoteError) as refusal:
        notes.read_signer(text)
    assert "YEKFALV" not in str(refusal.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_arbitrary_bytes_raise_only_the_named_error(data):
    for candidate in (data, POINT.text.encode() + b"\n" + data, witnessed().data + data):
        try:
            checkpoints.parse(candidate)
        except CheckpointError:
            continue
        assert checkpoints.parse(candidate)[1].data == candidate


def test_a_note_text_may_hold_empty_lines():
    """c2sp.org/signed-note: the text is separated from the signatures by the last empty line."""
    note = notes.sign("Ognuno sta solo sul cuor della terra\n\ned è subito sera.\n", LOG)
    again = notes.read_note(note.data)
    assert again == note
