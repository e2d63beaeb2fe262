"""What goes wrong between PostMaster and a directory, in words for both who sign in and admins."""

from typing import Any

from ..errors import Forbidden, Phrase, Unavailable

FOR_STRANGERS = Phrase(
    "The directory cannot be asked at the moment, and the log says why. "
    "Accounts of PostMaster itself can sign in"
)


class NotAnswered(Unavailable):
    """A server could not be asked, or not so that its answer could be trusted.

    ``advice`` says what to do. ``others_may`` is whether another server could do better.
    """

    what = Phrase("The directory cannot be asked now")

    def __init__(self, template: str, advice: Phrase, *, others_may: bool = True, **values: Any):
        super().__init__(FOR_STRANGERS, in_full=template, **values)
        self.advice = advice
        self.others_may = others_may


class Refused(Forbidden):
    """The directory was asked, and the answer is no.

    ``is_wrong_password`` is whether somebody may have guessed: such refusals are counted
    and look the same as those of local administrators.
    """

    def __init__(
        self,
        template: str,
        advice: Phrase,
        *,
        is_wrong_password: bool = False,
        detail: str = "",
        **values: Any,
    ):
        super().__init__(template, **values)
        self.advice = advice
        self.is_wrong_password = is_wrong_password
        self.detail = detail
