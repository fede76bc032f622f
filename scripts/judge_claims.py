from study.commands import door, judge_claims

door.enter(judge_claims)
