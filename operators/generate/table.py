"""The table of all systems that docs/guide/systems.md holds, made from the cards: `python -m operators.generate.table`
prints it.
"""

from operators.generate.cards import Card, cards

_CODE = {"full": "released", "part": "in part", "never": "never"}


def systems_table() -> str:
    """The table in Markdown: a system a row, by what drives it, floors first."""
    head = "| system | driven by | paper | code | licence of code; of weights | adapter |\n|---|---|---|---|---|---|\n"
    order = sorted(
        cards(), key=lambda card: (not card.floor, ("video", "audio", "text").index(card.driven_by), card.name)
    )
    return head + "".join(f"{_row(card)}\n" for card in order)


def _row(card: Card) -> str:
    code = _CODE[card.code] + (f": {card.repository} {card.commit[:8]}".rstrip() if card.repository else "")
    adapter = (
        "floor"
        if card.floor
        else "yes"
        if card.has_adapter
        else f"no: nearest is {card.nearest}"
        if card.code == "never"
        else f"no: {card.stops}"
    )
    cells = [
        f"`{card.name}`",
        card.driven_by,
        f"{card.title}. {card.paper}",
        code,
        f"{card.licence}; {card.weights_licence}",
        adapter,
    ]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


if __name__ == "__main__":
    print(systems_table())
