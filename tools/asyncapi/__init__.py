"""The AsyncAPI 3 document of every channel and message: contracts/asyncapi.json."""
