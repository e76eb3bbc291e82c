"""The story in the order of its steps; reaches the world through ports only.

The road of a record stands here: `accept` (steps 1 to 7), `disclose` and `judgement` (8 and 9), `deliver` (10),
`follow_up` (11), and what they share. Beside it, each in a folder: `pulls`, what others ask for; `messages`, HL7v2
that comes in; `alerts`, who is told of it; `consents`, their life; `releases`, what a person asks for; `staff`, what
the people of an office see.
"""
