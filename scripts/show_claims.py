from study.commands import door, show_claims

door.enter(show_claims)
