"""A node of libtorrent's DHT, led by lines and answering by lines:

  libtorrent_node.py ADDRESS PORT
  node ADDRESS PORT     knows that node from now on                        -> nothing
  announce TOPIC        announces itself, as a client with that torrent    -> nothing
  peers TOPIC           peers that a node tells of, each time one does     -> peers TOPIC ADDRESS:PORT...
  put TEXT              an immutable item, a string                        -> put TARGET NODES
  get TARGET            that item                                          -> item TARGET TEXT
"""
import sys
import tempfile
import threading

import libtorrent as lt

address, port = sys.argv[1:3]
session = lt.session({
    "listen_interfaces": f"{address}:{port}", "outgoing_interfaces": address,
    "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False, "dht_bootstrap_nodes": "",
    # Six nodes in one small network; and many queries of few.
    "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False, "dht_ignore_dark_internet": False, "dht_block_ratelimit": 10000,
    "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.dht_operation_notification,
})


def say(*words):
    print(*words, flush=True)


def listen():
    while True:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            if isinstance(alert, lt.dht_get_peers_reply_alert):
                say("peers", alert.info_hash, *(f"{peer[0]}:{peer[1]}" for peer in alert.peers()))
            elif isinstance(alert, lt.dht_immutable_item_alert):
                say("item", alert.target, alert.item["value"].decode())
            elif isinstance(alert, lt.dht_put_alert):
                say("put", alert.target, alert.num_success)


threading.Thread(target=listen, daemon=True).start()
say("ready")
for line in sys.stdin:
    command, *words = line.split()
    if command == "node":
        session.add_dht_node((words[0], int(words[1])))
    elif command == "announce":
        torrent = lt.parse_magnet_uri(f"magnet:?xt=urn:btih:{words[0]}")
        torrent.save_path = tempfile.gettempdir()  # of which it knows no file
        session.add_torrent(torrent).force_dht_announce()
    elif command == "peers":
        session.dht_get_peers(lt.sha1_hash(bytes.fromhex(words[0])))
    elif command == "put":
        session.dht_put_immutable_item(words[0])
    elif command == "get":
        session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(words[0])))
