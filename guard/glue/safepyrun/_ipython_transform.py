"""IPython's input transformations, without a tokenizer for cells that are plain Python.

Finding magics in the tokens of a cell is most of what a short cell costs IPython: its tokenizer is
written in Python. What it looks for can be seen in the text, nearly always by its absence.
"""

from IPython.core.inputtransformer2 import (EscapedCommand, HelpEnd, MagicAssign, SystemAssign,
                                            TransformerManager)

#: `x = %magic`, `x = !command`, `name?` and lines that begin with one of % ! ? , ; /
_KNOWN = MagicAssign, SystemAssign, EscapedCommand, HelpEnd


def _may_be_special(line):
    return "%" in line or "!" in line or "?" in line or line.lstrip().startswith((",", ";", "/"))


class GuardTransformerManager(TransformerManager):
    """The same transformations. A transformer that somebody has added is always asked."""

    def do_token_transforms(self, lines):
        usual = all(transformer in _KNOWN for transformer in self.token_transformers)
        if usual and not any(map(_may_be_special, lines)):
            return lines
        return super().do_token_transforms(lines)
