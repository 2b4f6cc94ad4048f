from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.exercises import all_exercises
from grader.lessons.source import Lesson, read_lesson
from grader.model.exercise import Exercise

FRONT = """---
jupyter:
  course:
    exercise: clusterip
    lesson: 3
    minutes: 10
    namespace: lesson-small
---

"""
BODY = """# 3. 小さなレッスン

最初の文章です。

> **予想してみよう**
>
> どうなるでしょうか。

```bash
echo one
```

```python
print("two")
```

<!-- exercise: clusterip -->

```python tags=["exercise"]
%%apply clusterip
```
"""


@pytest.fixture(scope="session")
def exercises() -> Mapping[str, Exercise]:
    return {exercise.id: exercise for exercise in all_exercises()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "03-small.md"
    path.write_text(FRONT + BODY, encoding="utf-8")
    return path


@pytest.fixture
def lesson(source: Path) -> Lesson:
    return read_lesson(source)
