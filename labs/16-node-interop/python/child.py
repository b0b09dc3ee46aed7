"""A child for Node's fork, without any Node: lines of JSON at one descriptor, and a socket that comes with one."""

import json
import os
import socket

channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))


def send(message):
    channel.sendall(json.dumps(message).encode() + b"\n")


def answer(message):
    if message.get("cmd") == "NODE_HANDLE":
        send({"cmd": "NODE_HANDLE_ACK"})
        with socket.socket(fileno=descriptors.pop(0)) as connection:
            connection.sendall(b"from python\n")
    elif "say" in message:
        send({"heard": message["say"], "by": "python"})


rest, descriptors = b"", []
while True:
    data, received, _, _ = socket.recv_fds(channel, 65536, 1)
    if not data:
        break
    descriptors += received
    *lines, rest = (rest + data).split(b"\n")
    for line in lines:
        answer(json.loads(line))
