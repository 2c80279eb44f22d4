#!/bin/busybox sh
# What the machine does until its power goes.
/bin/busybox --install -s /bin
export PATH=@BIN@:/bin:/usr/bin HOME=/root LANG=C.UTF-8 GIT_CONFIG_NOSYSTEM=1
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /tmp /root
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do
  insmod "/modules/$module.ko"
done
git config --global user.name alice
git config --global user.email alice@example.com
git config --global gc.auto 0
mount -t ext4 /dev/vda /mnt || echo "PROBLEM no disk"
cd /mnt/room || echo "PROBLEM no room"
grep -q gitchat-fsync=false /proc/cmdline && git config chat.fsync false
sync
echo READY
for name in a b; do
  (while :; do
    n=$((n + 1))
    number=$(git-chat send --as "quick-$name" "quick-$name-$n" 2>/tmp/error) && echo "ACK quick-$name-$n $number" || {
      echo "PROBLEM $(cat /tmp/error)"
      sleep 1
    }
  done) &
done
for name in c d e f; do python /write.py "long-$name" & done
while :; do
  git gc -q --prune=now
  sleep 1
done
