from study.commands import compare_studies, door

door.enter(compare_studies)
