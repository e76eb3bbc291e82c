"""A second opinion on the law: a decision function that shares nothing with the one it judges.

It was written from 42 CFR part 2 as amended by 89 FR 12472 (2.11 to 2.16, 2.23, 2.26, 2.31 to 2.35, 2.51 to 2.53, 2.61
to 2.65), 45 CFR 164.501, 164.506 and 164.512, FHIR R4 Consent and Provenance, and what a case holds and in which order
reasons count (docs/consent-engine.md), before its writer had read a line of gateway/consent. Each difference was then
settled by itself. Its own modules import nothing of the gateway; `comparison` is where both meet. It is slow and plain:
every step is asked of every item.

`judge` (verdict) says what a case must come to; where the law leaves a reason open, which ones will do. `a_world`
(worlds) makes a random case: an ordinary one of every kind with small hostile changes. `difference` (comparison) says
in what the engine differs. A difference is a wrong engine, a misread rule, or a rule that can be read in two ways;
of two readings the stricter was taken, and stands in docs/for-counsel.md.

What it does not judge raises `NotJudged`, and such worlds are passed over:

- de-identified data, links without login, copies to further recipients, who may have something sent to a third party;
- state law for mental health records, criminal justice information, labels of other systems and what they ask for;
- which content is about what, beyond a few codes; which reason a paper is that permits nothing;
- copies that went through several hands or came home, copies under a basis, a basis by way of somebody;
- who belongs to the class of 2.31(a)(4)(i) for operations; research studies; personal representatives;
- several things at once that no rule puts in an order: which of two good consents is cited, two contradicting facts;
- the record itself: section, policy version, hash; and everything around a decision (delivery, redaction, storage).
"""
