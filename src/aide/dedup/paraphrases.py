"""Pairs of sentences that mean the same, from which it is learned how near an embedding model puts paraphrases.

Models differ: what one gives a cosine of 0.98, another gives 0.85. The pairs are of several subjects and forms; they
are in English, which every embedding model knows.
"""

from typing import Final

PARAPHRASES: Final = (
    ("How do I change the password of my account?", "What must I do to set a new password for my account?"),
    ("The train to Leeds was forty minutes late.", "The Leeds train arrived with a delay of 40 minutes."),
    ("Where can I get my bike repaired on a Sunday?", "Is there somewhere that mends bicycles on Sundays?"),
    (
        "A box holds 12 eggs. How many eggs are in 7 boxes?",
        "There are 12 eggs to a box. If you have 7 boxes, how many eggs is that?",
    ),
    (
        "Please cancel the order that I placed this morning.",
        "I ordered something this morning and would like to cancel it.",
    ),
    ("Why is the sky blue during the day?", "What is the reason that the daytime sky looks blue?"),
    ("The tenant must give two months' notice.", "Notice of two months is required from the tenant."),
    (
        "Write a function that returns the largest number of a list.",
        "Give me a function that finds a list's maximum.",
    ),
    ("My parcel has still not come.", "I am still waiting for my package to arrive."),
    (
        "Which organ pumps blood through the body?",
        "What part of the body makes the blood circulate by pumping it?",
    ),
    (
        "She drove 150 miles in three hours; what was her average speed?",
        "What was her mean speed if she covered 150 miles by car in 3 hours?",
    ),
    (
        "The film was far too long and rather dull.",
        "It was quite a boring film, and it went on much too long.",
    ),
    ("Can I bring my dog into the hotel?", "Does the hotel allow guests to bring dogs?"),
    ("He lost his job because the factory closed.", "The factory shut down, so he was out of work."),
    (
        "What time does the museum open on weekdays?",
        "When are the museum's doors opened from Monday to Friday?",
    ),
    (
        "The patient complains of headaches that began a week ago.",
        "For one week the patient has been suffering from headaches.",
    ),
    (
        "How long should I boil an egg so that the yolk stays soft?",
        "For a soft yolk, how many minutes does an egg need in boiling water?",
    ),
    ("Nobody answered when I rang your helpline.", "I phoned your support number and no one picked up."),
    (
        "Plants need light to make sugar from water and carbon dioxide.",
        "With the help of light, plants turn carbon dioxide and water into sugar.",
    ),
    ("I was charged twice for the same ticket.", "You took the money for one ticket two times."),
)
