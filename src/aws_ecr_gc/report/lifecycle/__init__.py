"""What the lifecycle commands say, as text and as JSON. The schemas are generated from the shapes in here."""
