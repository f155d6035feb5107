@load ./waybill
