"""`python -m grader.lessons`."""

from grader.lessons.cli import main

if __name__ == "__main__":
    main()
