# What each bash in a container of the course begins with: the course's programs, its cluster, and completion.
case ":$PATH:" in *:/course/.venv/bin:*) ;; *) PATH=/course/.venv/bin:$PATH ;; esac
if [ -n "${BASH_VERSION:-}" ] && [ -n "${PS1:-}" ]; then
  [ -n "${KUBECONFIG:-}" ] || eval "$(grader env 2>/dev/null)"
  . /usr/share/bash-completion/bash_completion
  eval "$(kubectl completion bash)"
  eval "$(_GRADER_COMPLETE=bash_source grader)"
fi
