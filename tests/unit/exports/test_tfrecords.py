"""Records that are framed at once are those that TensorBoard's own writer writes one by one."""

import io

from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from study.exports import tfrecords


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_they_are_the_bytes_of_tensorboards_own_writer(records):
    file = io.BytesIO()
    writer = RecordWriter(file)
    for record in records:
        writer.write(record)
    assert b"".join(tfrecords.framed(records)) == file.getvalue()
