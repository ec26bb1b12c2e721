"""Runs DynamoDB Local with its test control: `dynamodb_local_server.py JVM FOLDER PORT`.

The command line of DynamoDB Local leaves the control off, and the constructor that switches it on
is private. So its server is put together here by reflection, in a Java machine inside this
process: a Java without a compiler is enough.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

SERVER = "com.amazonaws.services.dynamodbv2.local.server"


def serve(jvm: str, folder: Path, port: int) -> None:
    """Serve on every interface, which is all it can, until the process is killed."""
    jpype: Any = importlib.import_module("jpype")  # it has no types
    libraries = folder / "DynamoDBLocal_lib"
    jpype.startJVM(
        jvm,
        "--enable-native-access=ALL-UNNAMED",  # SQLite; said, Java does not warn of it
        "-XX:TieredStopAtLevel=1",  # it lives for seconds: start fast
        "-XX:+UseSerialGC",
        "-Xmx256m",
        f"-Djava.library.path={libraries}",
        classpath=[str(folder / "DynamoDBLocal.jar"), str(libraries / "*")],
    )
    no, yes = (jpype.JClass("java.lang.Boolean")(value) for value in (False, True))
    handler = jpype.JClass(f"{SERVER}.LocalDynamoDBRequestHandler")
    most_arguments = max(
        handler.class_.getDeclaredConstructors(), key=lambda each: each.getParameterCount()
    )
    most_arguments.setAccessible(yes)
    requests = most_arguments.newInstance(
        jpype.JClass("java.lang.Integer")(0),  # where a replica would be in the control plane
        yes,  # in memory
        None,  # and so in no file
        no,  # one database for each region, not one for all
        no,  # no delays while a table is made
        yes,  # the test control
    )
    web = jpype.JClass(f"{SERVER}.LocalDynamoDBServerHandler")(requests, "*")
    server = jpype.JClass(f"{SERVER}.DynamoDBProxyServer")(port, web)
    server.start()
    server.join()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
