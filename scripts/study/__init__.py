"""The library under the workflow's programs: plan, train, record, judge and report a study."""
