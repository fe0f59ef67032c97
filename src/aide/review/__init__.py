"""A local page on which a person accepts, refuses and edits the records of a run, one key a decision.

`FolderReview` joins the folder (`catalogue`), the decisions (`decisions`) and the order (`doubt`, `selection`);
`serve_review` puts it behind a token on 127.0.0.1.
"""

from aide.review.folder_review import FolderReview
from aide.review.server import serve_review

__all__ = ["FolderReview", "serve_review"]
