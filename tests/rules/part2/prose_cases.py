"""Which tests prove the consent cases that are told in prose only: case -> tests, as pytest names them.

The other cases are executable and run by `test_executable_cases`.
"""

_HERE = "tests/rules/part2/"
_READS = _HERE + "test_2_13_reads.py::"
_LABELS = _HERE + "test_2_13_labels.py::"
_NOTICE = _HERE + "test_2_32_notice.py::"
_PROPERTIES = _HERE + "test_properties.py::"
_REDACTION = "tests/unit/redaction/test_redact.py::"
_PASSED_ON = "tests/flow/test_pass_on.py::"
_V2_LABELS = "tests/unit/formats/test_hl7v2_labels.py::"
_CON = "tests/flow/test_hl7v2_consents.py::"
_ACCOUNTING = "tests/unit/reporting/test_accounting.py::"
_SECRET = "tests/flow/test_non_interference.py::test_what_is_withheld_changes_nothing_that_leaves"
_STAYING = _REDACTION + "TestTraces::test_narrative_contained_unknown_extensions_and_tags_never_go"
_ALIKE = _READS + "test_a_search_that_could_count_or_sort_what_is_hidden_is_refused_alike_to_everybody"
_NEVER_WAS = _READS + "test_a_hidden_id_its_versions_and_its_history_are_those_of_one_that_never_was"
_NOT_PROJECTED = _READS + "test_nothing_is_included_or_projected_beside_what_is_decided_on"

PROVEN_BY: dict[str, tuple[str, ...]] = {
    "C17": (
        _ACCOUNTING + "test_the_list_of_an_intermediary_holds_what_passed_through_it_under_a_general_designation",
        _ACCOUNTING + "test_three_years_before_a_leap_day_is_the_day_before",
    ),
    "J02": (_STAYING,),
    "J03": (_STAYING, _LABELS + "test_a_label_on_what_it_contains_counts"),
    "J07": (_ALIKE, _READS + "test_the_total_of_a_search_is_of_what_is_visible"),
    "J08": (_ALIKE,),
    "J09": (_NEVER_WAS, "tests/doors/test_fhir_http.py::test_refused_missing_and_impossible_look_the_same"),
    "J10": (_NEVER_WAS, _READS + "test_one_that_was_deleted_is_not_gone_but_was_never_there"),
    "J11": (_NOT_PROJECTED,),
    "J16": (_READS + "test_a_condition_on_a_create_finds_nothing_whether_there_is_something_or_not",),
    "J20": (_REDACTION + "TestProgramsThatTellByTheirName::test_one_on_the_care_team_goes_with_its_role",),
    "J21": (_REDACTION + "TestProgramsThatTellByTheirName::test_its_number_for_the_patient_goes",),
    "J23": (_SECRET, _READS + "test_the_total_of_a_search_is_of_what_is_visible"),
    "J25": (
        "tests/doors/test_nothing_leaks.py::test_names_planted_at_every_door_are_in_no_log_metric_or_command",
        _PROPERTIES + "test_no_answer_holds_anything_clinical",
    ),
    "J26": (_READS + "test_nobody_is_notified_of_what_is_added",),
    "J32": (_LABELS + "test_labels_left_off_by_whoever_sent_it_are_put_on_again",),
    "J33": (
        _READS + "test_no_client_can_write_labels_off_a_record",
        _LABELS + "test_labels_left_off_by_whoever_sent_it_are_put_on_again",
    ),
    "J34": (_STAYING,),
    "J35": (_NOT_PROJECTED, _ALIKE),
    "J37": (
        "tests/doors/test_consent_consult.py::test_the_card_of_a_denial_does_not_say_whether_there_is_a_consent",
        "tests/doors/test_consent_consult.py::test_a_denial_is_the_decision_and_nothing_else",
    ),
    "K02": (_PASSED_ON + "test_k02_a_permit_over_2_5_1_has_the_notice_in_a_note_of_the_grammar_and_invents_no_arv",),
    "K04": (_PASSED_ON + "test_k04_a_note_goes_with_the_result_it_is_about",),
    "K07": (_PASSED_ON + "test_k07_unknown_segments_go_as_soon_as_anything_is_withheld",),
    "K09": (_PASSED_ON + "test_k09_escapes_and_separators_are_decoded_before_they_are_matched",),
    "K13": (
        _V2_LABELS + "test_a_2_8_message_with_the_law_in_arv_and_msh_8_is_labeled_in_all_its_resources",
        _V2_LABELS + "test_labels_survive_the_way_to_v2_and_back",
    ),
    "K14": (_CON + "test_a_rescinded_consent_counts_from_the_receipt_and_keeps_the_date_it_states",),
    "K16": (_CON + "test_a_bypass_flag_is_no_emergency_record",),
    "K17": (_CON + "test_an_active_consent_is_kept_unverified_and_permits_nothing",),
    "K18": (_PASSED_ON + "test_k18_a_malformed_message_is_never_passed_on",),
    "K19": (_V2_LABELS + "test_the_fields_of_2_9_are_read_although_no_grammar_here_knows_them",),
    "K20": (_PASSED_ON + "test_the_envelope_is_ours_and_says_no_more_than_a_level",),
    "L09": (
        _NOTICE + "test_a_gateway_does_not_start_with_a_notice_of_an_earlier_year",
        _NOTICE + "test_what_owes_the_notice_waits_where_a_site_has_another",
    ),
    "L10": (_NOTICE + "test_where_no_copy_of_the_paper_is_here_its_scope_is_written_out",),
    "L11": (_NOTICE + "test_the_scope_is_explained_for_this_recipient_only",),
    "L14": (
        _ACCOUNTING + "test_what_the_rules_do_not_ask_for_is_not_in_it",
        _ACCOUNTING + "test_what_left_without_a_consent_is_told_apart",
    ),
    "L15": ("tests/doors/test_gateway_killed.py::test_nothing_acknowledged_is_lost_or_doubled",),
    "M01": ("tests/doors/test_revocation_race.py::test_nothing_is_permitted_after_a_revocation_was_committed",),
    "M02": (_PROPERTIES + "test_equal_input_gives_an_equal_record",),
    "M03": (_PROPERTIES + "test_one_more_refusal_never_releases_more",),
    "M04": (
        _PROPERTIES + "test_one_more_label_never_releases_more",
        _PROPERTIES + "test_one_more_label_never_releases_more_under_a_refusal",
    ),
    "M05": (_PROPERTIES + "test_what_is_known_of_others_changes_nothing",),
    "M06": (
        _PROPERTIES + "test_every_answer_explains_itself",
        _PROPERTIES + "test_no_answer_holds_anything_clinical",
    ),
    "M07": ("tests/unit/bench/test_consent.py::test_ten_times_as_much_takes_no_more_than_ten_times_as_long",),
    "M08": (
        _HERE + "test_hostile_consents.py::test_it_is_unreadable_or_permits_nothing_in_bounded_time",
        _HERE + "test_hostile_consents.py::test_a_good_consent_beside_it_does_not_count",
    ),
}

NOT_YET: frozenset[str] = frozenset()
"""Cases nothing proves yet: their tests are still to come, and then they move up."""
