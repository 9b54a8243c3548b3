"""Short documents about a few plain topics, for whatever compares meanings."""

from __future__ import annotations

import random
from typing import Any

TOPICS = {
    "kitchen": [
        "Knead the dough with flour and a little salt until it is smooth.",
        "Fry the onions in butter, then add the garlic and the tomatoes.",
        "Let the soup simmer for an hour and season it with pepper.",
        "Bake the bread in a hot oven until the crust is golden.",
        "Whisk the eggs with sugar and fold in the melted chocolate.",
        "Serve the roasted vegetables with rice and fresh herbs.",
    ],
    "sky": [
        "The telescope measured the light of a distant galaxy.",
        "A comet leaves a tail of dust as it nears the sun.",
        "The orbit of the planet was computed from its gravity.",
        "Astronomers found a black hole by the stars that circle it.",
        "The spacecraft took pictures of the moons of Jupiter.",
        "A supernova outshone all other stars of its galaxy.",
    ],
    "court": [
        "The court dismissed the appeal of the defendant.",
        "The lawyer asked the witness about the signed contract.",
        "The judge ruled that the statute had been violated.",
        "Under this agreement the tenant is liable for damages.",
        "The jury returned a verdict after two days in session.",
        "The plaintiff filed a motion to exclude the evidence.",
    ],
    "match": [
        "The striker scored a goal in the last minute of the match.",
        "The goalkeeper saved the penalty and the crowd cheered.",
        "The team won the championship after a season without defeat.",
        "The coach changed the defence at half time.",
        "A yellow card was shown to the captain of the home side.",
        "The players trained for the cup final in the stadium.",
    ],
}


def topic(name: str, seed: int, sentences: int = 5) -> str:
    """A document about one topic, different for every seed."""
    draw = random.Random(f"{name}{seed}")
    return f"{' '.join(draw.sample(TOPICS[name], sentences))} Note {seed}."


def topic_rows(each: int, sentences: int = 5) -> list[dict[str, Any]]:
    """So many documents of each topic, in turns, as rows of a source."""
    return [
        {"id": f"{name}-{i}", "text": topic(name, i, sentences), "topic": name}
        for i in range(each)
        for name in TOPICS
    ]
