"""The few elements of HTML that the report is made of, and its one style sheet."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

STYLE = """
:root{color-scheme:light;--ink:#1d1f23;--quiet:#4f555d;--line:#c9cdd2;--ground:#f4f5f3;--accent:#0b5d66;--danger:#a4161a;--attention:#8a5a00}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:#fff;color:var(--ink);font:1rem/1.55 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif}
main,header{max-width:1120px;margin:0 auto;padding:0 16px}
header{padding-top:32px}
h1{font-size:1.875rem;line-height:1.25;font-weight:650;margin:0 0 8px}
h2{font-size:1.375rem;line-height:1.3;font-weight:650;margin:48px 0 8px;padding-top:16px;border-top:1px solid var(--line)}
h3{font-size:1rem;font-weight:650;margin:24px 0 4px}
p,li{max-width:70ch}
p{margin:0 0 16px}
a{color:var(--accent)}
nav ul{display:flex;flex-wrap:wrap;gap:0 24px;list-style:none;padding:0;margin:8px 0 0}
nav a{display:inline-block;padding:8px 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(240px,100%),1fr));gap:8px 24px;margin:16px 0}
dl div{border-top:1px solid var(--line);padding-top:4px}
dl .long{grid-column:1/-1}
dt{color:var(--quiet);font-size:.875rem}
dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.findings{list-style:none;padding:0;margin:0 0 16px}
.findings li{border-top:1px solid var(--line);padding:8px 0;max-width:80ch}
.findings .level{display:block;font-size:.875rem;font-weight:650;color:var(--quiet)}
.findings .act .level{color:var(--danger)}
.findings .look .level{color:var(--attention)}
.charts{display:flex;flex-wrap:wrap;gap:16px;margin:0 0 16px}
.charts svg{display:block;max-width:100%;height:auto;font-family:inherit;font-variant-numeric:tabular-nums}
.charts.wide svg{width:100%;max-width:480px}
.note{color:var(--quiet);font-size:.875rem}
details{margin:0 0 16px}
summary{cursor:pointer;color:var(--accent);padding:8px 0;min-height:44px}
summary:focus-visible,a:focus-visible,.scroll:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.scroll{overflow-x:auto;max-height:70vh}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums;line-height:1.4}
caption{text-align:left;color:var(--quiet);padding:4px 0}
th,td{padding:6px 16px 6px 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:#fff;color:var(--quiet);font-weight:400;white-space:nowrap}
tbody th{font-weight:650;white-space:nowrap}
.number{text-align:right;white-space:nowrap}
@media (max-width:640px){
 .scroll{max-height:none}
 table,tbody,tr,td,tbody th{display:block}
 thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 tbody tr{border-top:1px solid var(--ink);padding:8px 0}
 td,tbody th,.number{display:flex;justify-content:space-between;gap:16px;text-align:right;border:0;padding:2px 0;white-space:normal}
 td::before,tbody th::before{content:attr(data-label);color:var(--quiet);font-weight:400;text-align:left}
}
@media print{
 @page{margin:16mm}
 body{font-size:10pt}
 nav{display:none}
 main,header{max-width:none;padding:0}
 h2{break-after:avoid;margin-top:24px}
 .charts,svg,p,li,tr{break-inside:avoid}
 section>p,h3{break-after:avoid}
 .charts.wide svg{max-width:96mm;max-height:190mm}
 th,td{padding:2px 10px 2px 0}
 table{font-size:8.5pt}
 .charts.many{break-inside:auto}
 summary{list-style:none;color:var(--quiet);min-height:0;break-after:avoid}
 details::details-content{content-visibility:visible;height:auto;display:block}
 .scroll{overflow:visible;max-height:none}
 thead th{position:static}
 tbody tr:nth-child(even){background:var(--ground);-webkit-print-color-adjust:exact;print-color-adjust:exact}
 svg{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""


@dataclass(frozen=True)
class Header:
    """A column: its words, and whether numbers stand in it."""

    words: str
    number: bool = True


def page(language: str, title: str, header: str, body: str) -> str:
    """A whole document. Its policy forbids everything but the one style sheet, by its hash."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header>{header}</header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def paragraph(words: str, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{escape(words)}</p>\n"


def charts(drawings: Iterable[str], *, wide: bool = False, many: bool = False) -> str:
    """Charts beside each other where there is room. `wide`: one that may grow; `many`: a page may end between them."""
    kinds = " ".join(["charts", *(["wide"] if wide else []), *(["many"] if many else [])])
    return f'<div class="{kinds}">' + "\n".join(drawings) + "</div>\n"


def table(summary: str, headers: Sequence[Header], rows: Iterable[Sequence[str]]) -> str:
    """A table one keypress away; on a telephone each row is a card. The first cell names the row."""
    kinds = [' class="number"' if head.number else "" for head in headers]
    heads = "".join(f'<th role="columnheader" scope="col"{kind}>{escape(h.words)}</th>' for kind, h in zip(kinds, headers, strict=True))
    lines = []
    for row in rows:
        cells = []
        for place, (words, head) in enumerate(zip(row, headers, strict=True)):
            label = f'data-label="{escape(head.words)}"'
            if place == 0:
                cells.append(f'<th role="rowheader" scope="row" {label}>{escape(words)}</th>')
            else:
                cells.append(f'<td role="cell"{kinds[place]} {label}>{escape(words)}</td>')
        lines.append(f'<tr role="row">{"".join(cells)}</tr>')
    body = "\n".join(lines)
    return (
        f"<details>\n<summary>{escape(summary)}</summary>\n"
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(summary)}">\n'
        f'<table role="table"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{body}\n</tbody></table>\n</div>\n</details>\n'
    )


def section(name: str, heading: str, content: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{escape(heading)}</h2>\n{content}</section>\n'
