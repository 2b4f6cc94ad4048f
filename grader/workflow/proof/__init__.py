"""Proving exercises sound: answers, wrong answers, mutations, attacks, renewed Pods."""
