"""A second opinion on the law: a decision function that shares nothing with the one it judges.

It was written from 42 CFR part 2 as amended by 89 FR 12472 (2.11 to 2.16, 2.23, 2.26, 2.31 to 2.35, 2.51 to 2.54, 2.61
to 2.65), 45 CFR 164.501, 164.506, 164.512 and 164.514(b), RCW 70.02.230 and 70.02.240, FHIR R4 Consent and Provenance,
and what a case holds and in which order reasons count (docs/consent-engine.md). Most of it was written before its
writer had read a line of gateway/consent; de-identified data, classes of recipients and state law after some of it.
Each difference was then settled by itself. Its own modules import nothing of the gateway; `comparison` is where both
meet. It is slow and plain: every step is asked of every item.

`judge` (verdict) says what a case must come to; where the law leaves a reason open, which ones will do. `a_world`
(worlds) makes a random case: an ordinary one of every kind with small hostile changes. `difference` (comparison) says
in what the engine differs. A difference is a wrong engine, a misread rule, or a rule that can be read in two ways;
of two readings the stricter was taken, and stands in docs/for-counsel.md.

What it does not judge raises `NotJudged`, and such worlds are passed over:

- links without login, state law of other states than Washington, most labels of other systems;
- which content is about what, beyond a few codes; which of several dates of a record counts;
- a paper that permits nothing, and one whose versions are of different people;
- a paper that is inactive for a revocation still to come, save under 2.35;
- intermediaries within intermediaries, and those that keep what they get; one of several classes of recipients;
- several things at once that no rule puts in an order: which of two good consents is cited, two contradicting facts;
- the record itself: section, policy version, hash; and everything around a decision (delivery, redaction, storage).
"""
