from study.commands import door, export_model

door.enter(export_model)
