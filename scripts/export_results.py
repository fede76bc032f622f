from study.commands import door, export_results

door.enter(export_results)
