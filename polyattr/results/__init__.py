"""What an attribution holds, and how it is kept and joined."""
