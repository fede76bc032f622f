from study.commands import collect_metrics, door

door.enter(collect_metrics)
