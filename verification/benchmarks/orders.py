"""What every customer of a benchmark orders."""

ORDER = {
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
}
