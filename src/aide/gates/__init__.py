"""What code can refuse before anything more is paid for: form, language, leftovers, copies."""
