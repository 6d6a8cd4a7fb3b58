"""The card of a refusal: what was refused, why, and what would allow it.

Shown just before the error of the cell, for people (HTML, text) and for programs (JSON). Everything on
it comes from the guard's own record of the denial. docs/refusal.schema.json describes the JSON.
"""

MIME = "application/vnd.safepyrun.refusal+json"

_FIELDS = ("event", "rule", "subject", "what", "why", "remedy", "message")

# JupyterLab's colours where there are any; elsewhere ones that read well on light and on dark.
_CARD = ("border-left:4px solid var(--jp-error-color1,#d9534f);"
         "background:var(--jp-layout-color2,rgba(127,127,127,.12));"
         "color:var(--jp-content-font-color1,inherit);"
         "font-family:var(--jp-content-font-family,system-ui,sans-serif);font-size:var(--jp-content-font-size1,14px);"
         "line-height:1.5;padding:8px 14px;margin:4px 0;max-width:60em;overflow-wrap:anywhere")
_TITLE = "font-weight:600"
_ROW = "padding-left:7em;text-indent:-7em"      # the second line of a long text begins below the first one
_LABEL = "color:var(--jp-content-font-color2,inherit);display:inline-block;min-width:7em;text-indent:0"
_SMALL = ("color:var(--jp-content-font-color2,inherit);font-size:var(--jp-content-font-size0,12px);"
          "padding-top:4px")


def compose(denial):
    """Content of a display_data message; `denial` is one entry of `_guard.denials()`."""
    data = {MIME: {"version": 1, **{name: denial[name] for name in _FIELDS}},
            "text/html": html(denial),
            "text/plain": text(denial)}
    return {"data": data, "metadata": {}, "transient": {}}


def _subject(denial):
    """The path or name that is meant, where the sentence does not hold it already."""
    return "" if denial["subject"] in denial["what"] else denial["subject"]


def names_policy_file(denial):
    """Then it is said which file that is: most sessions have none yet."""
    return "the policy file" in denial["remedy"]


def text(denial):
    subject = _subject(denial)
    lines = [f"Refused: {denial['what']}{': ' if subject else ''}{subject}", f"  why: {denial['why']}"]
    if denial["remedy"]:
        lines.append(f"  what helps: {denial['remedy']}")
    if names_policy_file(denial):
        lines.append(f"  the policy file: {denial['policy_place']}, read when the kernel starts")
    return "\n".join(lines)


def html(denial):
    subject = f": <code>{_escape(_subject(denial))}</code>" if _subject(denial) else ""
    remedy = _row("What helps", denial["remedy"]) if denial["remedy"] else ""
    place = (f'<div>The policy file: <code>{_escape(denial["policy_place"])}</code>, read when the kernel starts</div>'
             if names_policy_file(denial) else "")
    return (f'<div style="{_CARD}">'
            f'<div style="{_TITLE}">Refused: {_escape(denial["what"])}{subject}</div>'
            f'{_row("Why", denial["why"])}{remedy}'
            f'<div style="{_SMALL}">{place}Rule: <code>{_escape(denial["rule"])}</code> · '
            f'<code>%guard why</code> tells more, <code>%guard policy</code> shows what is in force</div></div>')


def _row(label, value):
    return f'<div style="{_ROW}"><span style="{_LABEL}">{label}</span>{_escape(value)}</div>'


def _escape(value):
    """html.escape(), which would cost an import at every start."""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        value = value.replace(character, entity)
    return value
