"""References as text with links, to doi.org and arxiv.org and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import quote

DOI = r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(?P<doi>10\.\d{4,9}/[^\s\"<>]*[^\s\"<>.,;)\]])"
ARXIV = r"(?:https?://arxiv\.org/abs/|arxiv:\s*)(?P<arxiv>\d{4}\.\d{4,5})"
REFERENCE = re.compile(f"{DOI}|{ARXIV}", re.IGNORECASE)


def linked(text: str) -> list[tuple[str, str]]:
    """The text in parts: (words, address), where the address is empty for plain words."""
    parts = []
    end = 0
    for found in REFERENCE.finditer(text):
        parts.append((text[end : found.start()], ""))
        doi, arxiv = found["doi"], found["arxiv"]
        address = f"https://doi.org/{quote(doi, safe='/().;:-_')}" if doi else f"https://arxiv.org/abs/{arxiv}"
        parts.append((f"doi:{doi}" if doi else f"arXiv:{arxiv}", address))
        end = found.end()
    parts.append((text[end:], ""))
    return [part for part in parts if part[0]]
