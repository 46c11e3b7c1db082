"""Texts of the lessons on language: a sonnet, sentences with a mood, and Python's manual."""

import numpy as np

__all__ = ["SONNET", "WORDS", "prose", "sentences"]

# William Shakespeare, Sonnet 18
SONNET = """Shall I compare thee to a summer's day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer's lease hath all too short a date.
"""

GOOD, BAD = ["good", "great", "fine", "lovely"], ["bad", "awful", "dull", "poor"]
WORDS = ["<end>", "the", "a", "film", "book", "food", "was", "is", "not", "very", "really", *GOOD, *BAD]


def sentences(count, seed):
    """Sentences such as "the film was not very good": their texts, word numbers (count, 6), and moods (1 is good).

    "not" turns good into bad and bad into good, so no word by itself tells the mood.
    """
    rng = np.random.default_rng(seed)
    texts, moods = [], []
    for _ in range(count):
        mood, negated = rng.integers(2), rng.integers(2)
        text = [rng.choice(["the", "a"]), rng.choice(["film", "book", "food"]), rng.choice(["was", "is"])]
        text += ["not"] * negated + [[], ["very"], ["really"]][rng.integers(3)] + [rng.choice(GOOD if mood else BAD)]
        texts.append(" ".join(text))
        moods.append(mood ^ negated)
    numbers = np.zeros((count, 6), np.int64)
    for row, text in zip(numbers, texts):
        row[: len(text.split())] = [WORDS.index(word) for word in text.split()]
    return texts, numbers, np.array(moods, np.int64)


def prose():
    """The chapters on statements of Python's own language reference, as ``help()`` shows them: some 40,000 letters."""
    from pydoc_data.topics import topics

    chapters = (
        "if",
        "while",
        "for",
        "try",
        "with",
        "function",
        "class",
        "assignment",
        "import",
        "return",
        "yield",
        "raise",
        "comparisons",
        "booleans",
        "exceptions",
        "naming",
        "types",
        "global",
        "assert",
        "customization",
        "numbers",
        "calls",
    )
    lines = [" ".join(line.split()) for name in chapters for line in topics[name].splitlines()]
    # Grammar and examples are no prose: keep the lines that are nearly all letters.
    return "\n".join(
        line for line in lines if len(line) > 20 and sum(c.isalpha() or c in " ,." for c in line) > 0.95 * len(line)
    )
