"""What is claimed of rules of credit assignment."""

CLAIMS = ()
