"""What customers of a run order."""

ORDER = {
    "accountNumber": "12345678",
    "accountName": "A Lovelace",
    "accountSortCode": "12-34-56",
    "customerFirstName": "Ada",
    "customerSurname": "Lovelace",
    "quantity": 2,
}
