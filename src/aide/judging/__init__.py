"""The judge: its verdict, the precheck of the model on the seeds, calibration against a person."""
