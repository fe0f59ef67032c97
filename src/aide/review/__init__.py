"""A local page on which a person accepts, refuses and edits the records of a run, one key a decision.

`ReviewDesk` joins the folder (`catalogue`), the decisions (`decisions`) and the order (`doubt`, `selection`);
`serve_review` puts it behind a token on 127.0.0.1.
"""

from aide.review.desk import ReviewDesk
from aide.review.server import serve_review

__all__ = ["ReviewDesk", "serve_review"]
