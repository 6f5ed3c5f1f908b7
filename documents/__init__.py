"""Pictures and papers: pure (values, language) to bytes."""
