"""QTI items and packages for the tests, written for this project after the kinds of the standard's own examples."""

import io
import zipfile

NS3 = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
NS21 = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)
MATCH = '<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>'
MAP = '<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/map_response.xml"/>'
MAP_POINT = '<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/map_response_point.xml"/>'
SCORE = '<qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float"/>'


def declaration(
    base: str,
    cardinality: str = "single",
    correct: tuple[str, ...] = (),
    mapping: str = "",
    name: str = "RESPONSE",
) -> str:
    values = "".join(f"<qti-value>{value}</qti-value>" for value in correct)
    key = f"<qti-correct-response>{values}</qti-correct-response>" if correct else ""
    return f'<qti-response-declaration identifier="{name}" cardinality="{cardinality}" base-type="{base}">{key}{mapping}</qti-response-declaration>'


def mapping(entries: dict[str, object], **bounds: object) -> str:
    words = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in bounds.items())
    inner = "".join(
        f'<qti-map-entry map-key="{key}" mapped-value="{value}"/>' for key, value in entries.items()
    )
    return f"<qti-mapping{words}>{inner}</qti-mapping>"


def item(
    head: str, body: str, processing: str = MATCH, outcomes: str = SCORE, identifier: str = "i"
) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><qti-assessment-item xmlns="{NS3}" identifier="{identifier}" title="{identifier}" '
        f'adaptive="false" time-dependent="false" xml:lang="en">{head}{outcomes}<qti-item-body>{body}</qti-item-body>{processing}</qti-assessment-item>'
    ).encode()


def item2(head: str, body: str, processing: str, identifier: str = "i") -> bytes:
    outcome = '<outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"/>'
    return (
        f'<assessmentItem xmlns="{NS21}" identifier="{identifier}" title="{identifier}" adaptive="false" timeDependent="false">'
        f"{head}{outcome}<itemBody>{body}</itemBody>{processing}</assessmentItem>"
    ).encode()


def package(
    items: dict[str, bytes],
    files: dict[str, bytes] | None = None,
    manifest: str | None = None,
    extra: str = "",
) -> bytes:
    """A package with a manifest that lists the items."""
    listed = "".join(
        f'<resource identifier="r{n}" type="imsqti_item_xmlv3p0" href="{name}"><file href="{name}"/></resource>'
        for n, name in enumerate(items)
    )
    text = manifest or (
        '<manifest xmlns="http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" identifier="m"><organizations/>'
        f"<resources>{listed}{extra}</resources></manifest>"
    )
    return zipped({"imsmanifest.xml": text.encode(), **items, **(files or {})})


def zipped(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()
