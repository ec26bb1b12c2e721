"""What a subscription and an idle month cost on AWS: counted units times list prices."""
