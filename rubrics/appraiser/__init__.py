"""The embedded appraiser: finds skills in a reply from cues in rubrics/library/cues.yaml, with the words that show them.

Signals: ``words``, ``questions`` (counts); ``pickup`` (0-1, share of the client's last content words taken up, six are enough);
``feeling_match`` (0-1); ``formula_repeats`` (earlier therapist turns that began with the same three words); ``instruction_like``
(0, or 0.75-1 when the reply speaks to the software); ``client_invited_disclosure``, ``client_requested_contact``,
``client_asked_for_promise``, ``client_asked_for_advice``, ``client_risk_cue`` (0 or 1, from the client's last words); ``er``,
``ip``, ``ex`` (0-2, after EPITOME); ``understanding``, ``shared_experience`` (0-1).
"""

from rubrics.appraiser.appraiser import CODE_VERSION, DEFAULT_CUES, CueAppraiser
from rubrics.appraiser.cues import load_cues

__all__ = ["CODE_VERSION", "DEFAULT_CUES", "CueAppraiser", "load_cues"]
